from __future__ import annotations

import asyncio
import re
from pathlib import Path
from uuid import UUID

import httpx

from shared.contracts import ImagePage, ImageRecord, LabelCounts
from shared.errors import PROBLEM_MEDIA_TYPE, Problem
from storage_service.uuid7 import uuid7
from tests.unit.storage.samples import PREVIEW, files_below, new_image

CONTENT = b"\xff\xd8 a dog"


async def _post(storage: httpx.AsyncClient, content: bytes = CONTENT, **known: object) -> httpx.Response:
    record = new_image(content, **known).model_dump_json()  # type: ignore[arg-type]
    files = {"original": ("o", content), "preview": ("p", PREVIEW)}
    return await storage.post("/v1/images", data={"record": record}, files=files)


async def _store(storage: httpx.AsyncClient, content: bytes = CONTENT, **known: object) -> ImageRecord:
    response = await _post(storage, content, **known)
    assert response.status_code == 201, response.text
    return ImageRecord.model_validate_json(response.content)


async def _page(storage: httpx.AsyncClient, **params: str | int) -> ImagePage:
    response = await storage.get("/v1/images", params=params)
    assert response.status_code == 200, response.text
    return ImagePage.model_validate_json(response.content)


def _is_problem(response: httpx.Response, status: int, code: str) -> None:
    assert response.headers["Content-Type"] == PROBLEM_MEDIA_TYPE
    problem = Problem.model_validate_json(response.content)
    assert (response.status_code, problem.status, problem.code) == (status, status, code), response.text
    assert problem.detail
    assert problem.request_id == response.headers["X-Request-ID"]


async def test_an_image_is_stored_found_read_corrected_and_deleted(storage: httpx.AsyncClient, folder: Path) -> None:
    record = await _store(storage, filename="Rex im Gras.jpg")
    place = f"/v1/images/{record.id}"
    assert files_below(folder) == [f".previews/{record.id}.jpg", f"photo/Rex_im_Gras--{record.id}.jpg"]

    got = await storage.get(place)
    by_bytes = await storage.get(f"/v1/images/by-sha256/{record.sha256}")
    assert ImageRecord.model_validate_json(got.content) == record
    assert got.json() == by_bytes.json()
    assert got.json()["created_at"].endswith("Z")
    assert (await _page(storage, q="gra")).items == [record]

    content, preview = await storage.get(f"{place}/content"), await storage.get(f"{place}/preview")
    assert (content.content, content.headers["Content-Type"]) == (CONTENT, "image/jpeg")
    assert content.headers["Content-Length"] == str(len(CONTENT))
    assert (preview.content, preview.headers["Content-Type"]) == (PREVIEW, "image/jpeg")

    corrected = (await storage.patch(place, json={"label": "my_pets", "caption": "Rex"})).json()
    assert (corrected["label"]["value"], corrected["label"]["source"]) == ("my_pets", "person")
    assert (corrected["caption"]["value"], corrected["caption"]["confidence"]) == ("Rex", None)
    assert files_below(folder)[1] == f"my_pets/Rex_im_Gras--{record.id}.jpg"
    assert (await storage.get(f"{place}/content")).content == CONTENT
    assert [item.id for item in (await _page(storage, q="rex", label="my_pets")).items] == [record.id]
    assert (await _page(storage, q="runs")).items == []

    assert (await storage.delete(place)).status_code == 204
    _is_problem(await storage.get(place), 404, "not_found")
    assert files_below(folder) == []
    assert (await _page(storage)).items == []


async def test_equal_uploads_at_once_are_one_image(storage: httpx.AsyncClient, folder: Path) -> None:
    responses = await asyncio.gather(*(_post(storage) for _ in range(6)))

    assert sorted(response.status_code for response in responses) == [200] * 5 + [201]
    assert len({response.json()["id"] for response in responses}) == 1
    assert len(files_below(folder)) == 2


async def test_what_is_not_known_yet_is_pending(storage: httpx.AsyncClient) -> None:
    record = await _store(storage, label=None, caption=None)
    await _store(storage, b"another", label="photo")

    assert (record.status, record.label.value, record.label.source) == ("pending", "unclassified", "model")
    assert [item.id for item in (await _page(storage, status="pending")).items] == [record.id]
    counts = LabelCounts.model_validate_json((await storage.get("/v1/labels")).content)
    assert {count.label: count.count for count in counts.root} == {"photo": 1, "unclassified": 1}


async def test_pages_follow_each_other_to_the_end(storage: httpx.AsyncClient) -> None:
    stored = [(await _store(storage, str(n).encode(), confidence=n / 10)).id for n in range(7)]
    orders = {"newest": stored[::-1], "uncertain": stored, "relevance": stored[::-1]}

    for sort, expected in orders.items():
        seen: list[UUID] = []
        page = await _page(storage, sort=sort, limit=3, q="dog")
        seen += [item.id for item in page.items]
        while page.next_cursor:
            page = await _page(storage, sort=sort, limit=3, q="dog", cursor=page.next_cursor)
            seen += [item.id for item in page.items]
        assert seen == expected, sort


async def test_no_name_leaves_its_label(storage: httpx.AsyncClient, folder: Path) -> None:
    names = ["../../etc/passwd", "a\x00b.jpg", "🐕.jpg", "\u202egpj.exe", "x" * 500, "CON", ""]
    for filename in names:
        content = filename.encode() or CONTENT
        record = await _store(storage, content, filename=filename)

        assert 1 <= len(record.filename) <= 255
        assert (await storage.get(f"/v1/images/{record.id}/content")).content == content

    originals = [path for path in files_below(folder) if not path.startswith(".previews/")]
    assert len(originals) == len(names)
    assert all(re.fullmatch(r"photo/[\w-]+--[0-9a-f-]{36}\.jpg", path) for path in originals)


async def test_wrong_uploads_are_refused_and_leave_nothing(storage: httpx.AsyncClient, folder: Path) -> None:
    right = new_image(CONTENT)
    wrong_hash = right.model_copy(update={"sha256": "0" * 64}).model_dump_json()
    no_image = right.model_copy(update={"media_type": "text/html\r\nX: y"}).model_dump_json()
    record = right.model_dump_json()
    original, preview = ("o", CONTENT), ("p", PREVIEW)

    async def post(data: dict[str, str], files: dict[str, tuple[str, bytes]]) -> httpx.Response:
        return await storage.post("/v1/images", data=data, files=files)

    both = {"original": original, "preview": preview}
    _is_problem(await post({"record": wrong_hash}, both), 422, "hash_mismatch")
    _is_problem(await post({"record": no_image}, both), 415, "unsupported_image")
    _is_problem(await post({"record": "{"}, both), 422, "invalid_request")
    _is_problem(await post({"record": "{}"}, both), 422, "invalid_request")
    _is_problem(await post({}, both), 422, "invalid_request")
    _is_problem(await post({"record": record}, {"original": original}), 422, "invalid_request")
    _is_problem(await post({"record": record}, {"preview": preview}), 422, "invalid_request")
    _is_problem(await post({"record": record}, {"original": ("o", b""), "preview": preview}), 422, "invalid_request")
    _is_problem(await post({"record": record}, {**both, "more": original}), 400, "bad_request")
    _is_problem(await storage.post("/v1/images", content=b"not a form"), 422, "invalid_request")
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    _is_problem(await storage.post("/v1/images", content=b"--x\r\nbroken", headers=form), 422, "invalid_request")
    assert files_below(folder) == []


async def test_a_body_over_the_limit_is_refused_whether_it_says_its_length_or_not(
    storage: httpx.AsyncClient, folder: Path
) -> None:
    async def chunks() -> object:
        yield b'--x\r\nContent-Disposition: form-data; name="original"; filename="o"\r\n\r\n'
        for _ in range(20):
            yield b"x" * 10_000

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    _is_problem(await _post(storage, b"x" * 200_000), 413, "image_too_large")
    unsaid = await storage.post("/v1/images", content=chunks(), headers=headers)  # type: ignore[arg-type]
    _is_problem(unsaid, 413, "image_too_large")
    assert files_below(folder) == []


async def test_each_failure_is_a_problem(storage: httpx.AsyncClient) -> None:
    record = await _store(storage)
    place = f"/v1/images/{record.id}"

    for nobody in (f"/v1/images/{uuid7()}", "/v1/images/not-an-id", "/v1/images/%00", f"{place}/nothing"):
        _is_problem(await storage.get(nobody), 404, "not_found")
    for part in ("content", "preview"):
        _is_problem(await storage.get(f"/v1/images/{uuid7()}/{part}"), 404, "not_found")
    _is_problem(await storage.get(f"/v1/images/by-sha256/{'0' * 64}"), 404, "not_found")
    _is_problem(await storage.delete(f"/v1/images/{uuid7()}"), 404, "not_found")
    _is_problem(await storage.patch(f"/v1/images/{uuid7()}", json={"label": "photo"}), 404, "not_found")
    _is_problem(await storage.put(place), 405, "method_not_allowed")
    _is_problem(await storage.patch(place, json={}), 400, "bad_request")
    for wrong in ({"label": "Not A Label"}, {"label": "../x"}, {"caption": " "}, {"caption": "x" * 501}, {"more": 1}):
        _is_problem(await storage.patch(place, json=wrong), 422, "invalid_request")
    _is_problem(await storage.patch(place, content=b"{"), 422, "invalid_request")
    for query in ("limit=0", "limit=201", "limit=x", "sort=oldest", "status=done", "label=A"):
        _is_problem(await storage.get(f"/v1/images?{query}"), 422, "invalid_request")
    for query in ("cursor=x", "cursor=", "cursor=%00", "sort=relevance", "sort=relevance&q=%20"):
        _is_problem(await storage.get(f"/v1/images?{query}"), 400, "bad_request")
    for deadline in ("0", "-1", "soon", ""):
        _is_problem(await storage.get(place, headers={"X-Deadline-Ms": deadline}), 400, "bad_request")


async def test_a_missing_file_is_told(storage: httpx.AsyncClient, folder: Path) -> None:
    record = await _store(storage)
    (folder / f"photo/dog--{record.id}.jpg").unlink()

    _is_problem(await storage.get(f"/v1/images/{record.id}/content"), 500, "image_file_missing")


async def test_a_late_answer_is_a_problem_and_the_service_goes_on(storage: httpx.AsyncClient) -> None:
    record = await _store(storage)
    responses = [
        await storage.get(f"/v1/images/{record.id}", headers={"X-Deadline-Ms": "1"}),
        await storage.patch(f"/v1/images/{record.id}", json={"label": "meme"}, headers={"X-Deadline-Ms": "1"}),
    ]

    for response in responses:
        if response.status_code != 200:
            _is_problem(response, 504, "deadline_exceeded")
    assert responses[1].status_code == 504
    for _ in range(20):
        assert (await storage.get(f"/v1/images/{record.id}")).status_code == 200


async def test_it_is_live_ready_and_measured(storage: httpx.AsyncClient) -> None:
    await _store(storage)

    assert (await storage.get("/health/live")).json()["status"] == "live"
    assert (await storage.get("/health/ready")).json()["status"] == "ready"
    metrics = (await storage.get("/metrics")).text
    assert 'http_requests_total{method="POST",route="/v1/images",status="201"} 1.0' in metrics
    assert (await storage.get("/openapi.json")).status_code == 200
