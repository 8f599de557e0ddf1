"""Batches through the gateway, storage-service and the completion of pending work, in process.

The services are started once for all tests here, so each test sends bytes that no other has sent.
"""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from caption_service.app import create_app as create_caption
from caption_service.settings import CaptionSettings
from classify_service.app import create_app as create_classify
from classify_service.classification import LoadedModel
from classify_service.settings import ClassifySettings
from gateway.app import create_app as create_gateway
from gateway.settings import GatewaySettings
from shared.contracts import ImageRecord
from shared.errors import Overloaded, Problem
from shared.upload_batches import BatchCounts, BatchFiles, LinkedBatch, LinkedBatches
from storage_service.app import create_app as create_storage
from storage_service.settings import StorageSettings
from tests.fakes import MODEL, ExplainingClassifier, FakeCaptioner
from tests.pictures import photo_bytes

pytestmark = pytest.mark.asyncio(loop_scope="module")

DONE_TIMEOUT_S = 60.0
FILES_LIMIT = 8


@dataclass(frozen=True)
class Platform:
    client: httpx.AsyncClient
    captioner: FakeCaptioner


def _reach(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://service")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    tmp_path = tmp_path_factory.mktemp("batches")
    captioner = FakeCaptioner("a dog runs through the snow")
    captioner.has_embedding = False  # all its embeddings are equal, so all images would be compared with each other
    caption = create_caption(CaptionSettings(), lambda: captioner)
    classify = create_classify(ClassifySettings(), load=lambda: LoadedModel(ExplainingClassifier("photo"), MODEL))
    storage = create_storage(
        StorageSettings(
            database_url=f"sqlite+aiosqlite:///{tmp_path}/legenda.sqlite3",
            store_url=f"file://{tmp_path}/store",
            index_dir=tmp_path / "index",
        )
    )
    gateway = create_gateway(
        GatewaySettings(
            upload_limit_bytes=100_000,
            zip_limit_bytes=1_000_000,
            batch_files_limit=FILES_LIMIT,
            batches_at_once=2,
            event_streams=1,
            decode_processes=1,
        ),
        caption_http=_reach(caption),
        classify_http=_reach(classify),
        storage_http=_reach(storage),
    )
    async with AsyncExitStack() as stack:
        for app in (caption, classify, storage, gateway):
            await stack.enter_async_context(app.router.lifespan_context(app))
        patched = stack.enter_context(pytest.MonkeyPatch.context())
        patched.setattr("gateway.completion.LONGEST_IDLE_PAUSE_S", 0.05)
        patched.setattr("gateway.completion.LONGEST_PAUSE_S", 0.2)
        patched.setattr("gateway.batch_account.NEWS_PAUSE_S", 0.02)
        yield Platform(await stack.enter_async_context(_reach(gateway)), captioner)


@pytest.fixture(autouse=True)
def _captions_are_there(platform: Platform) -> Iterator[None]:
    yield
    platform.captioner.error = None


def _new_photo(seed: int = 0) -> bytes:
    """Return a picture in bytes that were never seen before; decoders stop at the end-of-image mark."""
    return photo_bytes(seed) + uuid4().bytes


def _zip(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


async def _send(platform: Platform, *files: tuple[str, bytes], query: str = "") -> httpx.Response:
    return await platform.client.post(f"/api/v1/batches{query}", files=[("files", file) for file in files])


async def _batch(platform: Platform, path: str) -> LinkedBatch:
    return LinkedBatch.model_validate_json((await platform.client.get(path)).content)


async def _done(platform: Platform, path: str) -> LinkedBatch:
    async with asyncio.timeout(DONE_TIMEOUT_S):
        while not (batch := await _batch(platform, path)).is_done:
            await asyncio.sleep(0.05)
    return batch


def _events(text: str) -> list[dict[str, str]]:
    events = [dict(line.split(": ", 1) for line in block.splitlines() if line) for block in text.split("\n\n")]
    return [event for event in events if "data" in event]


def _stop_captions(platform: Platform) -> None:
    platform.captioner.error = Overloaded("busy with something else")


async def test_images_and_zips_become_a_batch_that_is_described_and_says_what_was_refused(platform: Platform) -> None:
    picture = _new_photo(1)
    archive = _zip(**{"2019/sea.jpg": _new_photo(), "2019/notes.txt": b"Dear Ada", "__MACOSX/._sea.jpg": b"x"})
    response = await _send(
        platform,
        ("one.jpg", picture),
        ("holiday.zip", archive),
        ("letter.jpg", b"Dear Ada"),
        ("copy.jpg", picture),
        ("nothing.jpg", b""),
        ("large.jpg", _new_photo() + bytes(200_000)),
    )
    sent = LinkedBatch.model_validate_json(response.content)

    assert response.status_code == 202
    assert response.headers["Location"] == sent.links.batch == f"/api/v1/batches/{sent.id}"
    assert (sent.counts.received, sent.counts.refused, sent.counts.known) == (7, 4, 1)
    assert len(sent.refused) == 4
    batch = await _done(platform, sent.links.batch)
    assert (batch.state, batch.eta_s) == ("complete", 0)
    assert batch.counts == BatchCounts(received=7, known=1, complete=3, refused=4)
    refused = {(file.archive, file.filename): file.refusal.code for file in batch.refused if file.refusal}
    assert refused == {
        ("holiday.zip", "2019/notes.txt"): "unsupported_image",
        (None, "letter.jpg"): "unsupported_image",
        (None, "nothing.jpg"): "unsupported_image",
        (None, "large.jpg"): "image_too_large",
    }
    files = BatchFiles.model_validate_json((await platform.client.get(f"{batch.links.files}?status=complete")).content)
    names = {}
    for file in files.items:
        record = ImageRecord.model_validate_json((await platform.client.get(f"/api/v1/images/{file.image_id}")).content)
        names[file.filename] = (record.filename, record.caption and record.caption.value, record.label.value)
    said = ("a dog runs through the snow", "photo")
    assert names == {"one.jpg": ("one.jpg", *said), "copy.jpg": ("one.jpg", *said), "2019/sea.jpg": ("sea.jpg", *said)}


async def test_a_batch_is_answered_at_once_though_a_model_is_away(platform: Platform) -> None:
    _stop_captions(platform)

    sent = LinkedBatch.model_validate_json((await _send(platform, ("1.jpg", _new_photo()))).content)

    assert (sent.state, sent.counts.pending) == ("working", 1)
    listed = LinkedBatches.model_validate_json((await platform.client.get("/api/v1/batches")).content)
    assert listed.items[0].id == sent.id


async def test_a_cancelled_batch_keeps_its_images_until_they_are_sent_again(platform: Platform) -> None:
    _stop_captions(platform)
    picture = _new_photo()
    sent = LinkedBatch.model_validate_json((await _send(platform, ("1.jpg", picture))).content)

    response = await platform.client.delete(sent.links.batch)

    cancelled = LinkedBatch.model_validate_json(response.content)
    assert (response.status_code, cancelled.state, cancelled.counts.failed) == (200, "cancelled", 1)
    [file] = BatchFiles.model_validate_json((await platform.client.get(sent.links.files)).content).items
    record = ImageRecord.model_validate_json((await platform.client.get(f"/api/v1/images/{file.image_id}")).content)
    assert record.status == "failed"
    assert "cancelled" in (record.failure or "")
    assert (await platform.client.get(f"/api/v1/images/{file.image_id}/content")).content == picture
    platform.captioner.error = None
    again = LinkedBatch.model_validate_json((await _send(platform, ("1.jpg", picture))).content)
    assert (await _done(platform, again.links.batch)).counts == BatchCounts(received=1, known=1, complete=1)


async def test_events_tell_everything_once_also_to_who_comes_back(platform: Platform) -> None:
    _stop_captions(platform)
    letters = [(f"{number}.txt", b"Dear Ada") for number in range(3)]
    sent = LinkedBatch.model_validate_json((await _send(platform, *letters, ("1.jpg", _new_photo()))).content)
    watching = asyncio.create_task(platform.client.get(sent.links.events))
    await asyncio.sleep(1)
    platform.captioner.error = None

    response = await watching

    assert response.headers["content-type"].startswith("text/event-stream")
    events = _events(response.text)
    refused = [json.loads(event["data"])["filename"] for event in events if event["event"] == "refused"]
    assert sorted(refused) == ["0.txt", "1.txt", "2.txt"]
    last = LinkedBatch.model_validate_json(events[-1]["data"])
    assert (events[-1]["event"], last.state, last.counts.complete) == ("progress", "complete", 1)
    ids = [event["id"] for event in events]
    assert len(ids) == len(set(ids))
    for told, event_id in enumerate(ids, 1):
        back = await platform.client.get(sent.links.events, headers={"Last-Event-ID": event_id})
        if told == len(ids):
            assert back.status_code == 204
        else:
            missed = [event["id"] for event in events[told:] if event["event"] == "refused"]
            heard = _events(back.text)
            assert [event["data"] for event in heard if event["event"] == "refused"] == [
                event["data"] for event in events[told:] if event["id"] in missed
            ]
            assert LinkedBatch.model_validate_json(heard[-1]["data"]).state == "complete"


async def test_too_many_streams_of_events_are_refused(platform: Platform) -> None:
    _stop_captions(platform)
    sent = LinkedBatch.model_validate_json((await _send(platform, ("1.jpg", _new_photo()))).content)
    watching = asyncio.create_task(platform.client.get(sent.links.events))
    await asyncio.sleep(0.5)

    response = await platform.client.get(sent.links.events)

    assert (response.status_code, response.json()["code"]) == (503, "overloaded")
    assert response.headers["Retry-After"]
    platform.captioner.error = None
    assert (await watching).status_code == 200


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"--b--\r\n", "multipart/form-data; boundary=b", 422, "no_files"),
        (b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n', "", 422, "no_files"),
        (b'--b\r\nContent-Disposition: form-data; name="files"; filename=""\r\n\r\n\r\n--b--\r\n', "", 422, "no_files"),
        (b'--b\r\nContent-Disposition: form-data; name="files"\r\n\r\nabc\r\n--b--\r\n', "", 400, "bad_request"),
        (b'--b\r\nContent-Disposition: form-data; name="x"; filename="a"\r\n\r\nabc\r\n--b--', "", 400, "bad_request"),
        (b'--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nabc', "", 400, "bad_request"),
        (b"no form at all", "", 400, "bad_request"),
        (b"{}", "application/json", 400, "bad_request"),
        (b"", "multipart/form-data", 400, "bad_request"),
    ],
)
async def test_a_body_without_files_makes_no_batch(
    platform: Platform, body: bytes, content_type: str, status: int, code: str
) -> None:
    headers = {"Content-Type": content_type or "multipart/form-data; boundary=b"}
    before = (await platform.client.get("/api/v1/batches?limit=1")).json()["items"]

    response = await platform.client.post("/api/v1/batches", content=body, headers=headers)

    assert (response.status_code, Problem.model_validate_json(response.content).code) == (status, code)
    after = (await platform.client.get("/api/v1/batches?limit=1")).json()["items"]
    assert [batch["id"] for batch in after] == [batch["id"] for batch in before]


async def test_more_files_than_a_batch_may_have_are_refused_and_the_first_are_kept(platform: Platform) -> None:
    mine = uuid4()
    files = [(f"{number}.jpg", _new_photo(number)) for number in range(FILES_LIMIT + 3)]

    response = await _send(platform, *files, query=f"?id={mine}")

    assert (response.status_code, response.json()["code"]) == (413, "too_many_files")
    batch = await _done(platform, f"/api/v1/batches/{mine}")
    assert (batch.state, batch.counts.received, batch.counts.complete) == ("interrupted", FILES_LIMIT, FILES_LIMIT)
    assert batch.reason == response.json()["detail"]


async def test_a_body_that_breaks_off_leaves_what_came_before(platform: Platform) -> None:
    mine = uuid4()
    request = platform.client.build_request("POST", "/", files=[("files", ("1.jpg", _new_photo()))] * 2)
    whole = await request.aread()

    response = await platform.client.post(
        f"/api/v1/batches?id={mine}", content=whole[:-20], headers={"Content-Type": request.headers["content-type"]}
    )

    assert response.status_code == 400
    batch = await _batch(platform, f"/api/v1/batches/{mine}")
    assert (batch.state, batch.counts.received) == ("interrupted", 1)


async def test_a_batch_that_is_still_being_sent_can_be_watched_and_cancelled(platform: Platform) -> None:
    _stop_captions(platform)
    mine, goes_on = uuid4(), asyncio.Event()
    form = platform.client.build_request("POST", "/", files=[("files", ("1.jpg", _new_photo()))] * 3)
    whole = await form.aread()

    async def slowly() -> AsyncIterator[bytes]:
        yield whole[: 5 * len(whole) // 6]  # two of three files
        await goes_on.wait()
        yield whole[5 * len(whole) // 6 :]

    sending = asyncio.create_task(
        platform.client.post(
            f"/api/v1/batches?id={mine}", content=slowly(), headers={"Content-Type": form.headers["content-type"]}
        )
    )
    path = f"/api/v1/batches/{mine}"
    async with asyncio.timeout(DONE_TIMEOUT_S):
        while (response := await platform.client.get(path)).status_code == 404 or not response.json()["counts"][
            "known"
        ]:
            await asyncio.sleep(0.02)
    assert response.json()["state"] == "receiving"
    assert (await platform.client.delete(path)).json()["state"] == "cancelled"
    goes_on.set()

    response = await sending

    assert (response.status_code, response.json()["code"]) == (409, "batch_cancelled")
    batch = await _batch(platform, path)
    assert (batch.state, batch.counts.pending) == ("cancelled", 0)


async def test_an_id_that_is_another_batchs_is_refused(platform: Platform) -> None:
    mine = uuid4()
    assert (await _send(platform, ("1.jpg", _new_photo()), query=f"?id={mine}")).status_code == 202

    response = await _send(platform, ("2.jpg", _new_photo()), query=f"?id={mine}")

    assert (response.status_code, response.json()["code"]) == (409, "batch_id_taken")


async def test_an_unknown_batch_is_not_found(platform: Platform) -> None:
    path = f"/api/v1/batches/{uuid4()}"
    for response in (
        await platform.client.get(path),
        await platform.client.get(f"{path}/files"),
        await platform.client.get(f"{path}/events"),
        await platform.client.delete(path),
    ):
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
