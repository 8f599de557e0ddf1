"""Pending work, history, undo and re-runs through the real service's HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from shared.contracts import Alternative, CaptionAnswer, ClassificationAnswer, ImageRecord
from shared.errors import Problem
from shared.work_contracts import ImageHistory, Leases, Rerun, Retried, Undone, WorkCounts, WorkOutcome
from storage_service.uuid7 import uuid7
from tests.pictures import encoded
from tests.unit.storage.embedded import directions, embedded
from tests.unit.storage.samples import CAPTIONER, CLASSIFIER, files_below, new_image


async def _store(storage: httpx.AsyncClient, preview: bytes = b"\xff\xd8", **known: object) -> ImageRecord:
    content = uuid7().bytes
    response = await storage.post(
        "/v1/images",
        data={"record": new_image(content, **known).model_dump_json()},  # type: ignore[arg-type]
        files={"original": ("o", content), "preview": ("p", preview)},
    )
    assert response.status_code == 201, response.text
    return ImageRecord.model_validate_json(response.content)


async def _lease(storage: httpx.AsyncClient, kind: str, **more: float) -> Leases:
    response = await storage.post("/v1/leases", json={"kind": kind, "lease_s": 30} | more)
    assert response.status_code == 200, response.text
    return Leases.model_validate_json(response.content)


async def _report(storage: httpx.AsyncClient, token: object, outcome: WorkOutcome) -> httpx.Response:
    return await storage.post(f"/v1/leases/{token}", json=outcome.model_dump(mode="json"))


def _caption(text: str = "a cat") -> WorkOutcome:
    return WorkOutcome(caption=CaptionAnswer(captions=[Alternative(value=text, confidence=0.6)], model=CAPTIONER))


def _label(label: str) -> WorkOutcome:
    labels = [Alternative(value=label, confidence=0.8)]
    return WorkOutcome(classification=ClassificationAnswer(label=label, labels=labels, model=CLASSIFIER))


async def test_pending_work_is_taken_once_and_makes_the_image_complete(
    storage: httpx.AsyncClient, folder: Path
) -> None:
    record = await _store(storage, label=None, caption=None)
    counts = WorkCounts.model_validate_json((await storage.get("/v1/work")).content)
    assert [(each.kind, each.missing) for each in counts.items] == [("caption", 1), ("label", 1)]

    [caption], [label] = (await _lease(storage, "caption")).items, (await _lease(storage, "label")).items
    assert (await _lease(storage, "caption")).items == []
    assert caption.image_id == record.id
    assert (await _report(storage, caption.token, _caption())).json()["status"] == "pending"
    done = ImageRecord.model_validate_json((await _report(storage, label.token, _label("meme"))).content)

    assert (done.status, done.label.value) == ("complete", "meme")
    assert files_below(folder)[1] == f"meme/dog--{record.id}.jpg"
    again = await _report(storage, label.token, _label("photo"))
    assert (again.status_code, Problem.model_validate_json(again.content).code) == (409, "lease_lost")


async def test_a_caption_that_comes_later_brings_its_embedding_and_finds_the_near_duplicate(
    storage: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage_service.similar.MARKING_TIMEOUT_S", 25.0)
    blotches = np.random.default_rng(0).integers(0, 255, (8, 10, 3), np.uint8)
    picture = Image.fromarray(blotches).resize((400, 320), Image.Resampling.BICUBIC)
    [direction] = directions(1)
    answer = embedded(b"any", direction).caption
    records = [
        await _store(storage, encoded(picture, quality=quality), caption=None, filename=f"{quality}.jpg")
        for quality in (90, 60)
    ]
    assert (await storage.get(f"/v1/images/{records[0].id}/similar")).status_code == 409

    leases = (await _lease(storage, "caption", limit=2)).items
    assert [lease.image_id for lease in leases] == [record.id for record in records]
    first, second = [
        ImageRecord.model_validate_json((await _report(storage, lease.token, WorkOutcome(caption=answer))).content)
        for lease in leases
    ]

    assert first.duplicate_of is None
    assert second.duplicate_of is not None
    assert (second.status, second.duplicate_of.id) == ("complete", first.id)
    similar = (await storage.get(f"/v1/images/{first.id}/similar")).json()
    assert [item["image"]["id"] for item in similar["items"]] == [str(second.id)]


async def test_history_undo_and_rerun_go_together(storage: httpx.AsyncClient) -> None:
    record = await _store(storage)
    place = f"/v1/images/{record.id}"
    await storage.patch(place, json={"caption": "Rex"})
    results = "/v1/models/cnn/3/results"

    counted = Undone.model_validate_json((await storage.delete(results, params={"dry_run": True})).content)
    assert (counted.dry_run, counted.images, counted.remaining) == (True, 1, 1)
    assert (await storage.get(place)).json()["label"]["value"] == "photo"
    undone = Undone.model_validate_json((await storage.delete(results)).content)
    assert (undone.dry_run, undone.images, undone.analyses, undone.remaining) == (False, 1, 1, 0)
    assert (await storage.get(place)).json()["status"] == "pending"

    would = Rerun.model_validate_json((await storage.post("/v1/reruns?dry_run=true", json={"all": True})).content)
    marked = Rerun.model_validate_json((await storage.post("/v1/reruns", json={"all": True})).content)
    assert (would.images, marked.images, marked.next_cursor) == (1, 1, None)
    for kind, outcome in (("label", _label("meme")), ("caption", _caption("a hound"))):
        [lease] = (await _lease(storage, kind)).items
        assert (await _report(storage, lease.token, outcome)).status_code == 200

    history = ImageHistory.model_validate_json((await storage.get(f"{place}/history")).content)
    assert [(each.value, each.source, each.is_current) for each in history.items] == [
        ("a hound", "model", False),
        ("meme", "model", True),
        ("Rex", "person", True),
        ("a dog runs on grass", "model", False),
    ]


async def test_a_failed_image_is_found_by_its_status_and_retried(storage: httpx.AsyncClient) -> None:
    record = await _store(storage, caption=None)
    refusal = WorkOutcome.model_validate({"failure": {"reason": "a broken picture", "is_of_image": True}})
    for _ in range(3):
        while not (leases := (await _lease(storage, "caption")).items):
            await asyncio.sleep(0.1)  # put off, for a second at first
        answered = await _report(storage, leases[0].token, refusal)
    assert (answered.json()["status"], answered.json()["failure"]) == ("failed", "no caption: a broken picture")
    assert [each["id"] for each in (await storage.get("/v1/images?status=failed")).json()["items"]] == [str(record.id)]

    everything = Retried.model_validate_json((await storage.post("/v1/images/retry")).content)
    assert (everything.images, everything.remaining) == (1, 0)
    assert (await storage.post(f"/v1/images/{record.id}/retry")).json()["status"] == "pending"
    assert len((await _lease(storage, "caption")).items) == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/images/01890000-0000-7000-8000-000000000000/history", None, 404),
        ("POST", "/v1/images/01890000-0000-7000-8000-000000000000/retry", None, 404),
        ("POST", "/v1/reruns", {}, 422),
        ("POST", "/v1/reruns", {"all": True, "cursor": "x"}, 400),
        ("POST", "/v1/leases", {"kind": "smell", "lease_s": 1}, 422),
        ("POST", "/v1/leases", {"kind": "label", "lease_s": 0}, 422),
        ("POST", "/v1/leases", {"kind": "label", "lease_s": 1, "limit": 101}, 422),
        ("POST", "/v1/leases/01890000-0000-7000-8000-000000000000", {}, 422),
        ("DELETE", f"/v1/models/{'x' * 256}/1/results", None, 422),
    ],
)
async def test_a_wrong_request_is_a_problem_that_says_so(
    storage: httpx.AsyncClient, method: str, path: str, body: dict[str, object] | None, status: int
) -> None:
    response = await storage.request(method, path, json=body)
    assert response.status_code == status
    assert Problem.model_validate_json(response.content).detail
