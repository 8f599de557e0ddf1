"""The account of upload batches through the real service's HTTP, on both databases."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from shared.errors import Problem
from shared.upload_batches import BatchCounts, BatchFiles, UploadBatch, UploadBatches
from storage_service.uuid7 import uuid7
from tests.unit.storage.samples import new_image

A_LETTER = {"code": "unsupported_image", "detail": "this is a letter"}
NOBODYS = "1c27b409-5e7c-42f5-a703-250314d9d14b"


async def _store(storage: httpx.AsyncClient) -> str:
    content = uuid7().bytes
    record = new_image(content, label=None, caption=None).model_dump_json()
    files = {"original": ("o", content), "preview": ("p", b"\xff\xd8")}
    response = await storage.post("/v1/images", data={"record": record}, files=files)
    return str(response.json()["id"])


async def test_a_batch_is_begun_noted_listed_and_cancelled(storage: httpx.AsyncClient) -> None:
    begun = await storage.post("/v1/batches", json={"receiving_s": 30})
    batch = UploadBatch.model_validate_json(begun.content)
    assert (begun.status_code, batch.state) == (201, "receiving")
    path = f"/v1/batches/{batch.id}"
    image_id = await _store(storage)
    news = {
        "receiving_s": 30,
        "ending": "received",
        "files": [
            {"position": 1, "filename": "größe.jpg", "image_id": image_id},
            {"position": 2, "filename": "letter.txt", "archive": "all.zip", "refusal": A_LETTER},
        ],
    }

    noted = UploadBatch.model_validate_json((await storage.post(f"{path}/news", json=news)).content)

    assert (noted.state, noted.counts) == ("working", BatchCounts(received=2, pending=1, refused=1))
    files = BatchFiles.model_validate_json((await storage.get(f"{path}/files")).content).items
    assert [(file.filename, str(file.image_id)) for file in files] == [("größe.jpg", image_id), ("letter.txt", "None")]
    listed = UploadBatches.model_validate_json((await storage.get("/v1/batches?limit=1")).content)
    assert [item.id for item in listed.items] == [batch.id]
    cancelled = UploadBatch.model_validate_json((await storage.delete(path)).content)
    assert (cancelled.state, cancelled.counts) == ("cancelled", BatchCounts(received=2, failed=1, refused=1))
    assert (await storage.post("/v1/images/retry")).json()["images"] == 1
    again = UploadBatch.model_validate_json((await storage.get(path)).content)
    assert again.counts.pending == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/v1/batches", {"receiving_s": 0}, 422, "invalid_request"),
        ("GET", "/v1/batches?cursor=x", None, 400, "bad_request"),
        ("GET", f"/v1/batches/{NOBODYS}", None, 404, "not_found"),
        ("GET", f"/v1/batches/{NOBODYS}/files", None, 404, "not_found"),
        ("DELETE", f"/v1/batches/{NOBODYS}", None, 404, "not_found"),
        ("POST", f"/v1/batches/{NOBODYS}/news", {"receiving_s": 1}, 404, "not_found"),
        (
            "POST",
            f"/v1/batches/{NOBODYS}/news",
            {"receiving_s": 1, "files": [{"position": 1, "filename": "neither stored nor refused"}]},
            422,
            "invalid_request",
        ),
    ],
)
async def test_what_cannot_be_is_refused(  # noqa: PLR0917
    storage: httpx.AsyncClient, method: str, path: str, body: object, status: int, code: str
) -> None:
    response = await storage.request(method, path, json=body)

    assert (response.status_code, Problem.model_validate_json(response.content).code) == (status, code)


async def test_an_id_is_chosen_once(storage: httpx.AsyncClient) -> None:
    mine = {"id": str(uuid4()), "receiving_s": 30}
    assert (await storage.post("/v1/batches", json=mine)).status_code == 201

    response = await storage.post("/v1/batches", json=mine)

    assert (response.status_code, response.json()["code"]) == (409, "batch_id_taken")
