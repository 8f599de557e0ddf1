"""The gateway's clients against the real apps of the services, in process.

caption-service and classify-service run with models that need no network; storage-service runs whole, on SQLite.
"""

from __future__ import annotations

import asyncio
import csv
import io
import re
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from fastapi import FastAPI

from caption_service.app import create_app as create_caption
from caption_service.settings import CaptionSettings
from classify_service.app import create_app as create_classify
from classify_service.classification import LoadedModel
from classify_service.settings import ClassifySettings
from gateway.app import create_app as create_gateway
from gateway.settings import GatewaySettings
from shared.contracts import Analysis, Health, ImageAttention, ImageExplanation, ImagePage, ImageRecord, LabelCounts
from shared.errors import BrokenImage, Overloaded, Problem, ServiceError, UpstreamFailed
from shared.outline_contracts import ImageOutline
from shared.similar_images import SimilarImages
from shared.work_contracts import ImageHistory, Rerun, Retried, Undone
from storage_service.app import create_app as create_storage
from storage_service.settings import StorageSettings
from tests.fakes import MODEL, ExplainingClassifier, FakeCaptioner
from tests.pictures import drawn_picture, encoded, photo_bytes


class Platform(NamedTuple):
    client: httpx.AsyncClient
    captioner: FakeCaptioner
    store: Path


def _reach(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://service")


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Platform]:
    captioner, classifier = FakeCaptioner("a dog runs through the snow"), ExplainingClassifier("photo")
    caption = create_caption(CaptionSettings(), lambda: captioner)
    classify = create_classify(ClassifySettings(), load=lambda: LoadedModel(classifier, MODEL))
    storage = create_storage(
        StorageSettings(
            database_url=f"sqlite+aiosqlite:///{tmp_path}/legenda.sqlite3",
            store_url=f"file://{tmp_path}/store",
            index_dir=tmp_path / "index",
        )
    )
    gateway = create_gateway(
        GatewaySettings(upload_limit_bytes=100_000, decode_processes=1),
        caption_http=_reach(caption),
        classify_http=_reach(classify),
        storage_http=_reach(storage),
    )
    async with AsyncExitStack() as stack:
        for app in (caption, classify, storage, gateway):
            await stack.enter_async_context(app.router.lifespan_context(app))
        client = await stack.enter_async_context(_reach(gateway))
        yield Platform(client, captioner, tmp_path / "store")


async def _upload(platform: Platform, image: bytes, name: str = "dog.jpg") -> httpx.Response:
    return await platform.client.post("/api/v1/images", files={"file": (name, image)})


async def test_an_upload_goes_through_all_services_and_is_found_again(platform: Platform) -> None:
    image = photo_bytes()
    response = await _upload(platform, image)
    record = ImageRecord.model_validate_json(response.content)

    assert response.status_code == 201
    assert response.headers["Location"] == f"/api/v1/images/{record.id}"
    assert record.caption is not None
    assert (record.status, record.label.value) == ("complete", "photo")
    assert (record.caption.value, record.caption.model) == ("a dog runs through the snow", "fake@1")
    assert [file.read_bytes() for file in (platform.store / "photo").iterdir()] == [image]

    found = ImagePage.model_validate_json((await platform.client.get("/api/v1/images?q=snow")).content)
    assert [item.id for item in found.items] == [record.id]
    assert not ImagePage.model_validate_json((await platform.client.get("/api/v1/images?q=cat")).content).items


async def test_the_same_bytes_again_are_the_same_image(platform: Platform) -> None:
    first, again = await _upload(platform, photo_bytes()), await _upload(platform, photo_bytes(), "other.jpg")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]


async def test_a_correction_sticks_is_a_persons_and_moves_the_file(platform: Platform) -> None:
    location = (await _upload(platform, photo_bytes())).headers["Location"]
    corrected = await platform.client.patch(location, json={"label": "my_dogs", "caption": "Rex in the snow"})
    assert corrected.status_code == 200

    record = ImageRecord.model_validate_json((await platform.client.get(location)).content)
    assert record.caption is not None
    assert (record.label.value, record.label.source) == ("my_dogs", "person")
    assert (record.caption.value, record.caption.source) == ("Rex in the snow", "person")
    assert len(list((platform.store / "my_dogs").iterdir())) == 1
    assert not list((platform.store / "photo").glob("*.jpg"))


async def test_content_and_preview_come_back_with_their_types(platform: Platform) -> None:
    image = encoded(drawn_picture(900, 600), "PNG")
    location = (await _upload(platform, image, "square.png")).headers["Location"]
    content = await platform.client.get(f"{location}/content")
    preview = await platform.client.get(f"{location}/preview")
    assert (content.content, content.headers["content-type"]) == (image, "image/png")
    assert preview.headers["content-type"] == "image/jpeg"
    assert content.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in content.headers["Content-Security-Policy"]
    assert content.headers["Content-Disposition"] == "inline; filename=\"square.png\"; filename*=UTF-8''square.png"


async def test_a_file_is_saved_under_a_name_of_its_true_type(platform: Platform) -> None:
    location = (await _upload(platform, photo_bytes(), "r\u00e9sum\u00e9\u202egnp.exe")).headers["Location"]
    content = await platform.client.get(f"{location}/content")
    assert content.headers["content-type"] == "image/jpeg"
    named = content.headers["Content-Disposition"]
    assert named == "inline; filename=\"resumegnp.exe.jpg\"; filename*=UTF-8''r%C3%A9sum%C3%A9gnp.exe.jpg"


async def test_no_answer_lets_a_browser_do_more_than_it_needs(platform: Platform) -> None:
    for path in ("/", "/docs", "/api/v1/images", "/api/v1/images/nothing", "/health/live"):
        headers = (await platform.client.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "no-referrer", path
        assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin", path
        assert "camera=()" in headers["Permissions-Policy"], path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path


async def test_a_deleted_image_is_gone_with_its_files(platform: Platform) -> None:
    location = (await _upload(platform, photo_bytes())).headers["Location"]
    assert (await platform.client.delete(location)).status_code == 204
    assert (await platform.client.get(location)).status_code == 404
    assert not list(platform.store.rglob("*.jpg"))


async def test_labels_count_all_images_and_pages_show_each_once(platform: Platform) -> None:
    ids = {(await _upload(platform, photo_bytes(seed))).json()["id"] for seed in range(5)}
    labels = LabelCounts.model_validate_json((await platform.client.get("/api/v1/labels")).content)
    assert sum(each.count for each in labels.root) == 5

    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "2", "label": "photo"} | ({"cursor": cursor} if cursor else {})
        page = ImagePage.model_validate_json((await platform.client.get("/api/v1/images", params=query)).content)
        seen += [str(item.id) for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(seen) == sorted(ids)


async def test_a_search_is_narrowed_at_the_gateways_door(platform: Platform) -> None:
    record = ImageRecord.model_validate_json((await _upload(platform, photo_bytes())).content)
    filters: dict[str, dict[str, str | float]] = {
        "phrase": {"q": '"the snow"'},
        "source": {"source": "model"},
        "since": {"created_after": "2020-01-01T00:00:00+01:00"},
        "least confidence": {"min_confidence": 0.0},
        "all": {"q": "dog", "label": "photo", "status": "complete", "max_confidence": 1, "sort": "relevance"},
    }
    others: dict[str, dict[str, str | float]] = {
        "phrase": {"q": '"snow the"'},
        "source": {"source": "person"},
        "before": {"created_before": "2020-01-01T00:00:00Z"},
        "most confidence": {"max_confidence": 0.0},
        "quotes and signs": {"q": '"%_" OR *'},
    }

    for why, query in filters.items():
        page = ImagePage.model_validate_json((await platform.client.get("/api/v1/images", params=query)).content)
        assert [item.id for item in page.items] == [record.id], why
    for why, query in others.items():
        page = ImagePage.model_validate_json((await platform.client.get("/api/v1/images", params=query)).content)
        assert page.items == [], why


async def test_a_try_out_stores_nothing(platform: Platform) -> None:
    response = await platform.client.post("/api/v1/analyses", files={"file": ("a.jpg", photo_bytes())})
    analysis = Analysis.model_validate_json(response.content)
    assert analysis.caption is not None
    assert analysis.caption.value == "a dog runs through the snow"
    assert not (await platform.client.get("/api/v1/images")).json()["items"]


async def test_an_upload_is_kept_as_pending_when_the_captioner_fails(platform: Platform) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("out of memory")

    platform.captioner.describe = fail  # type: ignore[assignment]
    response = await _upload(platform, photo_bytes())
    assert response.status_code == 201
    record = response.json()
    assert (record["status"], record["caption"], record["label"]["value"]) == ("pending", None, "photo")
    assert (await platform.client.get("/api/v1/images?status=pending")).json()["items"][0]["id"] == record["id"]


async def test_an_upload_that_trickles_in_is_given_up_at_its_deadline(platform: Platform) -> None:
    async def trickle() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        await asyncio.sleep(60)

    headers = {"Content-Type": "multipart/form-data; boundary=x", "X-Deadline-Ms": "100"}
    response = await platform.client.post("/api/v1/images", content=trickle(), headers=headers)
    assert (response.status_code, response.json()["code"]) == (504, "deadline_exceeded")


@pytest.mark.parametrize(
    ("image", "status", "code"),
    [
        (b"", 415, "unsupported_image"),
        (b"text", 415, "unsupported_image"),
        (encoded(drawn_picture(300, 300))[:900], 422, "broken_image"),
        (b"x" * 100_001, 413, "image_too_large"),
        (b"x" * 400_000, 413, "image_too_large"),
    ],
)
async def test_a_refused_upload_leaves_nothing(platform: Platform, image: bytes, status: int, code: str) -> None:
    response = await _upload(platform, image)
    problem = Problem.model_validate_json(response.content)
    assert (response.status_code, problem.code) == (status, code)
    assert not (await platform.client.get("/api/v1/images")).json()["items"]
    assert not [path for path in platform.store.rglob("*") if path.is_file() and path.suffix in {".jpg", ".part"}]


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("POST", "/api/v1/images", {"data": {"other": "x"}}, 400),
        ("POST", "/api/v1/images", {"files": {"file": ("a.jpg", b"x")}, "headers": {"X-Deadline-Ms": "soon"}}, 400),
        ("GET", "/api/v1/images/not-an-id", {}, 422),
        ("GET", "/api/v1/images/01890000-0000-7000-8000-000000000000", {}, 404),
        ("GET", "/api/v1/images?cursor=nonsense", {}, 400),
        ("GET", "/api/v1/images?limit=0", {}, 422),
        ("GET", "/api/v1/images?label=Not%20A%20Label", {}, 422),
        ("PATCH", "/api/v1/images/01890000-0000-7000-8000-000000000000", {"json": {"label": "x"}}, 404),
        ("PATCH", "/api/v1/images/01890000-0000-7000-8000-000000000000", {"json": {"label": "NO WAY"}}, 422),
        ("PATCH", "/api/v1/images/01890000-0000-7000-8000-000000000000", {"json": {"colour": "x"}}, 422),
    ],
)
async def test_a_wrong_request_is_a_problem_that_says_so(
    platform: Platform, method: str, path: str, options: dict, status: int
) -> None:
    response = await platform.client.request(method, path, **options)
    assert response.status_code == status
    assert Problem.model_validate_json(response.content).detail


async def test_the_gateway_is_ready_with_the_models_named(platform: Platform) -> None:
    while (response := await platform.client.get("/health/ready")).status_code != 200:
        await asyncio.sleep(0.05)
    health = Health.model_validate_json(response.content)
    assert {model.name for model in health.models} == {"fake"}
    assert health.degraded == []


async def test_the_page_and_the_api_docs_need_nothing_from_outside(platform: Platform) -> None:
    page = await platform.client.get("/")
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    docs = await platform.client.get("/docs")
    assert docs.status_code == 200
    assert "https://" not in docs.text


async def test_a_request_id_reaches_the_answer(platform: Platform) -> None:
    response = await platform.client.get("/api/v1/labels", headers={"X-Request-ID": "trace-7"})
    assert response.headers["X-Request-ID"] == "trace-7"


async def test_where_the_model_looks_is_computed_from_the_preview(platform: Platform) -> None:
    record = ImageRecord.model_validate_json((await _upload(platform, photo_bytes())).content)
    response = await platform.client.get(f"/api/v1/images/{record.id}/attention")
    attention = ImageAttention.model_validate_json(response.content)
    assert attention.caption == "a dog runs through the snow"
    assert [each.word for each in attention.words] == attention.caption.split()
    assert attention.model == MODEL


async def test_a_model_that_does_not_attend_says_so_through_the_gateway(platform: Platform) -> None:
    record = ImageRecord.model_validate_json((await _upload(platform, photo_bytes())).content)
    platform.captioner.attends = False
    response = await platform.client.get(f"/api/v1/images/{record.id}/attention")
    problem = Problem.model_validate_json(response.content)
    assert (response.status_code, problem.code) == (400, "bad_request")
    assert "as a whole" in problem.detail


@pytest.mark.parametrize(
    ("error", "status"), [(Overloaded("16 images wait already"), 503), (UpstreamFailed("the model broke"), 502)]
)
async def test_where_the_model_looks_fails_as_its_service_does(
    platform: Platform, error: ServiceError, status: int
) -> None:
    record = ImageRecord.model_validate_json((await _upload(platform, photo_bytes())).content)
    platform.captioner.error = error
    response = await platform.client.get(f"/api/v1/images/{record.id}/attention")
    assert Problem.model_validate_json(response.content).status == response.status_code == status
    assert ("Retry-After" in response.headers) == (status == Overloaded.status)


async def test_a_corrected_caption_leaves_the_models_words_to_look_at(platform: Platform) -> None:
    location = (await _upload(platform, photo_bytes())).headers["Location"]
    await platform.client.patch(location, json={"caption": "Rex in the snow"})
    response = await platform.client.get(f"{location}/attention")
    assert ImageAttention.model_validate_json(response.content).caption == "a dog runs through the snow"


async def test_an_unknown_image_has_no_attention(platform: Platform) -> None:
    response = await platform.client.get("/api/v1/images/0199d2b0-0000-7000-8000-000000000000/attention")
    assert response.status_code == 404


async def test_what_speaks_for_a_label_is_computed_from_the_preview(platform: Platform) -> None:
    location = (await _upload(platform, photo_bytes())).headers["Location"]
    await platform.client.patch(location, json={"label": "holiday"})
    explanation = ImageExplanation.model_validate_json((await platform.client.get(f"{location}/explanation")).content)
    assert (explanation.label, explanation.labels[0].value, explanation.model) == ("photo", "photo", MODEL)
    assert explanation.evidence.words == "almost no colour"
    assert len(explanation.evidence.map) == 9


async def test_an_unknown_image_has_no_explanation(platform: Platform) -> None:
    response = await platform.client.get("/api/v1/images/0199d2b0-0000-7000-8000-000000000000/explanation")
    assert (response.status_code, Problem.model_validate_json(response.content).code) == (404, "not_found")


async def test_similar_images_are_found_and_near_duplicates_named(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage_service.similar.MARKING_TIMEOUT_S", 25.0)
    first = ImageRecord.model_validate_json((await _upload(platform, photo_bytes())).content)
    again = await _upload(platform, encoded(drawn_picture(), quality=60), "smaller.jpg")
    copy = ImageRecord.model_validate_json(again.content)
    assert (again.status_code, copy.status) == (201, "complete")
    assert copy.duplicate_of is not None
    assert copy.duplicate_of.id == first.id

    similar = SimilarImages.model_validate_json(
        (await platform.client.get(f"/api/v1/images/{first.id}/similar?limit=3")).content
    )
    assert [item.image for item in similar.items] == [copy]


async def test_an_encoder_without_a_projection_still_describes(platform: Platform) -> None:
    platform.captioner.has_embedding = False
    record = ImageRecord.model_validate_json((await _upload(platform, photo_bytes())).content)
    assert record.status == "complete"

    response = await platform.client.get(f"/api/v1/images/{record.id}/similar")
    assert (response.status_code, response.json()["code"]) == (409, "not_embedded")


@pytest.mark.parametrize(("query", "status"), [("limit=0", 422), ("limit=51", 422), ("", 404)])
async def test_a_wrong_request_for_similar_images_is_a_problem(platform: Platform, query: str, status: int) -> None:
    response = await platform.client.get(f"/api/v1/images/0199d2b0-0000-7000-8000-000000000000/similar?{query}")
    assert Problem.model_validate_json(response.content).status == response.status_code == status


async def _until_status(platform: Platform, location: str, status: str) -> ImageRecord:
    async with asyncio.timeout(30):
        while True:
            record = ImageRecord.model_validate_json((await platform.client.get(location)).content)
            if record.status == status:
                return record
            await asyncio.sleep(0.02)


async def test_a_pending_image_becomes_complete_once_the_captioner_works_again(platform: Platform) -> None:
    platform.captioner.error = UpstreamFailed("the model broke")
    response = await _upload(platform, photo_bytes())
    assert (response.status_code, response.json()["status"]) == (201, "pending")
    platform.captioner.error = None

    record = await _until_status(platform, response.headers["Location"], "complete")

    assert record.caption is not None
    assert (record.caption.value, record.caption.model) == ("a dog runs through the snow", "fake@1")
    similar = await platform.client.get(f"{response.headers['Location']}/similar")
    assert (similar.status_code, similar.json()) == (200, {"items": []})  # its embedding came along
    metrics = (await platform.client.get("/metrics")).text
    assert 'completion_results_total{kind="caption",result="done"} 1.0' in metrics
    assert 'completion_results_total{kind="label",result="done"}' not in metrics


async def test_an_image_that_the_captioner_refuses_has_failed_says_why_and_is_retried(platform: Platform) -> None:
    platform.captioner.error = BrokenImage("these pixels make no sense")
    location = (await _upload(platform, photo_bytes())).headers["Location"]
    failed = await _until_status(platform, location, "failed")
    assert (failed.label.value, failed.failure) == ("photo", "no caption: these pixels make no sense")

    platform.captioner.error = None
    retried = ImageRecord.model_validate_json((await platform.client.post(f"{location}/retry")).content)
    assert (retried.id, retried.failure) == (failed.id, None)
    assert (await _until_status(platform, location, "complete")).failure is None
    everything = Retried.model_validate_json((await platform.client.post("/api/v1/images/retry")).content)
    assert (everything.images, everything.remaining) == (0, 0)


async def test_a_models_words_are_told_taken_back_and_given_again(platform: Platform) -> None:
    location = (await _upload(platform, photo_bytes())).headers["Location"]
    await platform.client.patch(location, json={"label": "my_dogs"})
    results = "/api/v1/models/fake/1/results"

    counted = Undone.model_validate_json((await platform.client.delete(f"{results}?dry_run=true")).content)
    assert (counted.dry_run, counted.images, counted.analyses) == (True, 1, 2)
    before = ImageHistory.model_validate_json((await platform.client.get(f"{location}/history")).content)
    assert len(before.items) == 3
    undone = Undone.model_validate_json((await platform.client.delete(results)).content)
    assert (undone.dry_run, undone.images, undone.analyses, undone.remaining) == (False, 1, 2, 0)

    record = await _until_status(platform, location, "complete")
    assert record.caption is not None
    assert (record.label.value, record.caption.value) == ("my_dogs", "a dog runs through the snow")
    after = ImageHistory.model_validate_json((await platform.client.get(f"{location}/history")).content)
    assert [(each.kind, each.source) for each in after.items] == [("caption", "model"), ("label", "person")]


async def test_a_rerun_asks_the_present_model_and_leaves_a_persons_word(platform: Platform) -> None:
    first, other = [(await _upload(platform, photo_bytes(seed))).headers["Location"] for seed in range(2)]
    await platform.client.patch(other, json={"caption": "Rex in the snow"})
    platform.captioner.sentence = "a hound in winter"
    asked = {"label": "photo", "kinds": ["caption"]}

    would = Rerun.model_validate_json((await platform.client.post("/api/v1/reruns?dry_run=true", json=asked)).content)
    done = Rerun.model_validate_json((await platform.client.post("/api/v1/reruns", json=asked)).content)
    assert (would.dry_run, would.images, done.dry_run, done.images, done.next_cursor) == (True, 2, False, 2, None)

    async with asyncio.timeout(30):
        while "a hound in winter" not in (await platform.client.get(f"{other}/history")).text:
            await asyncio.sleep(0.02)
        while (caption := (await platform.client.get(first)).json()["caption"]["value"]) != "a hound in winter":
            assert caption == "a dog runs through the snow"
            await asyncio.sleep(0.02)
    assert (await platform.client.get(other)).json()["caption"]["value"] == "Rex in the snow"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/v1/images/01890000-0000-7000-8000-000000000000/history", None, 404),
        ("POST", "/api/v1/images/01890000-0000-7000-8000-000000000000/retry", None, 404),
        ("POST", "/api/v1/reruns", {}, 422),
        ("POST", "/api/v1/reruns", {"all": True, "label": "photo"}, 422),
        ("POST", "/api/v1/reruns", {"all": True, "cursor": "nonsense"}, 400),
        ("DELETE", f"/api/v1/models/{'x' * 256}/1/results", None, 422),
    ],
)
async def test_a_wrong_request_about_words_is_a_problem_that_says_so(
    platform: Platform, method: str, path: str, body: dict | None, status: int
) -> None:
    response = await platform.client.request(method, path, json=body)
    assert response.status_code == status
    assert Problem.model_validate_json(response.content).detail


async def test_a_model_name_of_any_signs_reaches_storage_as_it_is(platform: Platform) -> None:
    undone = Undone.model_validate_json(
        (await platform.client.delete("/api/v1/models/caf%C3%A9%20%3Fa%3Db/1.0+x/results")).content
    )
    assert (undone.images, undone.remaining) == (0, 0)


async def _export(platform: Platform, **query: str) -> zipfile.ZipFile:
    response = await platform.client.get("/api/v1/export", params=query)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/zip")
    archive = zipfile.ZipFile(io.BytesIO(response.content))
    assert archive.testzip() is None
    return archive


async def test_an_export_has_the_originals_under_their_labels_and_a_table_of_words(platform: Platform) -> None:
    image = photo_bytes()
    location = (await _upload(platform, image, "Hündchen 🐕.jpg")).headers["Location"]
    await platform.client.patch(location, json={"label": "my_dogs", "caption": "=Rex in the snow"})

    archive = await _export(platform)

    assert archive.namelist() == ["my_dogs/Hündchen 🐕.jpg", "captions.csv"]
    assert archive.read("my_dogs/Hündchen 🐕.jpg") == image
    row = next(csv.DictReader(io.StringIO(archive.read("captions.csv").decode(), newline="")))
    assert (row["file"], row["caption"], row["caption_source"]) == (
        "my_dogs/Hündchen 🐕.jpg",
        "'=Rex in the snow",
        "person",
    )
    assert (await _export(platform, label="photo")).namelist() == ["captions.csv"]
    assert len((await _export(platform, label="my_dogs", q="rex")).namelist()) == 2


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({}, "legenda-DATE.zip"),
        ({"label": "question_paper"}, "legenda-question_paper-DATE.zip"),
        ({"label": "photo", "q": "dog in snow"}, "legenda-photo-dog_in_snow-DATE.zip"),
        ({"q": '../"; x="'}, "legenda-x-DATE.zip"),
        ({"q": "Schnee in Köln"}, "legenda-Schnee_in_K_ln-DATE.zip"),
    ],
)
async def test_an_export_has_a_name_that_says_what_it_is(platform: Platform, query: dict[str, str], name: str) -> None:
    response = await platform.client.get("/api/v1/export", params=query)
    disposition = re.sub(r"\d{4}-\d\d-\d\d", "DATE", response.headers["Content-Disposition"])
    plain, _, encoded_name = disposition.partition("; filename*=UTF-8''")
    assert plain == f'attachment; filename="{name}"'
    assert bool(encoded_name) == ("ö" in query.get("q", ""))


async def test_sidecars_say_in_xmp_what_the_record_says(platform: Platform) -> None:
    await _upload(platform, photo_bytes(), "dog.jpg")
    archive = await _export(platform, sidecars="xmp")
    assert archive.namelist() == ["photo/dog.jpg", "photo/dog.jpg.xmp", "captions.csv"]
    assert "a dog runs through the snow" in archive.read("photo/dog.jpg.xmp").decode()


async def test_a_copy_carries_its_words_and_the_original_stays(platform: Platform) -> None:
    image = photo_bytes()
    location = (await _upload(platform, image)).headers["Location"]
    copy = await platform.client.get(f"{location}/content?metadata=embedded")
    assert (copy.status_code, copy.headers["content-type"]) == (200, "image/jpeg")
    assert "immutable" not in copy.headers["Cache-Control"]
    assert b"a dog runs through the snow" in copy.content
    assert (await platform.client.get(f"{location}/content")).content == image

    gif = (await _upload(platform, encoded(drawn_picture(), "GIF"), "a.gif")).headers["Location"]
    refused = await platform.client.get(f"{gif}/content?metadata=embedded")
    assert (refused.status_code, refused.json()["code"]) == (415, "cannot_embed")


async def test_an_outline_tells_the_shapes_of_the_gallery_and_where_its_pages_begin(platform: Platform) -> None:
    for seed in range(3):
        await _upload(platform, photo_bytes(seed))

    outline = ImageOutline.model_validate_json((await platform.client.get("/api/v1/images/outline?step=2")).content)
    listed = ImagePage.model_validate_json((await platform.client.get("/api/v1/images")).content)
    second = await platform.client.get("/api/v1/images", params={"cursor": outline.cursors[1], "limit": 2})

    assert outline.shapes == [round(image.width / image.height, 3) for image in listed.items]
    assert outline.next_cursor is None
    assert outline.cursors[0] is None
    assert ImagePage.model_validate_json(second.content).items == listed.items[2:]
    too_many = await platform.client.get("/api/v1/images/outline?limit=10001")
    assert (too_many.status_code, too_many.json()["code"]) == (422, "invalid_request")


async def test_chosen_images_are_exported_and_looked_at_again(platform: Platform) -> None:
    ids = [(await _upload(platform, photo_bytes(seed), f"{seed}.jpg")).json()["id"] for seed in range(3)]

    exported = await platform.client.get("/api/v1/export", params={"id": [ids[2], ids[0], ids[2]]})
    again = await platform.client.post("/api/v1/reruns?dry_run=true", json={"ids": ids[:2]})
    both = await platform.client.get("/api/v1/export", params={"id": ids[0], "label": "photo"})

    with zipfile.ZipFile(io.BytesIO(exported.content)) as archive:
        assert archive.namelist() == ["photo/2.jpg", "photo/0.jpg", "captions.csv"]
    assert Rerun.model_validate_json(again.content).images == 2
    assert (both.status_code, both.json()["code"]) == (400, "bad_request")
    assert "either" in both.json()["detail"]
