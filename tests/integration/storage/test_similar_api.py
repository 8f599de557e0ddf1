"""Similar images and near-duplicates through the real service's HTTP."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from uuid import UUID

import httpx
import numpy as np
import pytest
from PIL import Image, ImageEnhance

from shared.contracts import ImageRecord
from shared.similar_images import SimilarImages
from storage_service.uuid7 import uuid7
from tests.pictures import encoded
from tests.unit.storage.embedded import Directions, directions, embedded, towards
from tests.unit.storage.samples import new_image

ONE, OTHER = directions(2)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with other work to do may need longer to compare than an upload should wait."""
    monkeypatch.setattr("storage_service.similar.MARKING_TIMEOUT_S", 25.0)


def _scene(seed: int = 0) -> Image.Image:
    blotches = np.random.default_rng(seed).integers(0, 255, (8, 10, 3), np.uint8)
    return Image.fromarray(blotches).resize((400, 320), Image.Resampling.BICUBIC)


async def _store(
    storage: httpx.AsyncClient, embedding: Directions | None, picture: Image.Image | bytes, **encoder: str
) -> ImageRecord:
    preview = picture if isinstance(picture, bytes) else encoded(picture)
    content = uuid7().bytes
    new = new_image(content, caption=None) if embedding is None else embedded(content, embedding, **encoder)
    response = await storage.post(
        "/v1/images",
        data={"record": new.model_dump_json()},
        files={"original": ("o", content), "preview": ("p", preview)},
    )
    assert response.status_code == 201, response.text
    return ImageRecord.model_validate_json(response.content)


async def _similar(storage: httpx.AsyncClient, image_id: UUID, **params: int) -> SimilarImages:
    response = await storage.get(f"/v1/images/{image_id}/similar", params=params)
    assert response.status_code == 200, response.text
    return SimilarImages.model_validate_json(response.content)


async def _duplicate_of(storage: httpx.AsyncClient, image_id: UUID) -> UUID | None:
    record = ImageRecord.model_validate_json((await storage.get(f"/v1/images/{image_id}")).content)
    return record.duplicate_of and record.duplicate_of.id


async def test_similar_images_come_nearest_first_as_whole_records(storage: httpx.AsyncClient) -> None:
    stored = [await _store(storage, towards(ONE, OTHER, n / 5), _scene(n)) for n in range(5)]

    answer = await _similar(storage, stored[0].id)
    assert [item.image for item in answer.items] == stored[1:]
    assert [item.distance for item in answer.items] == sorted(item.distance for item in answer.items)
    assert len((await _similar(storage, stored[0].id, limit=2)).items) == 2

    await storage.delete(f"/v1/images/{stored[1].id}")
    assert [item.image for item in (await _similar(storage, stored[0].id)).items] == stored[2:]


async def test_an_image_without_an_embedding_or_without_a_row_is_a_problem(storage: httpx.AsyncClient) -> None:
    pending = await _store(storage, None, _scene())

    for image_id, status, code in ((pending.id, 409, "not_embedded"), (uuid7(), 404, "not_found")):
        response = await storage.get(f"/v1/images/{image_id}/similar")
        assert (response.status_code, response.json()["code"]) == (status, code)
    for limit in ("0", "51", "x"):
        assert (await storage.get(f"/v1/images/{pending.id}/similar?limit={limit}")).status_code == 422


async def test_a_near_duplicate_is_stored_and_names_the_one_before(storage: httpx.AsyncClient) -> None:
    first = await _store(storage, ONE, _scene())
    brighter = ImageEnhance.Brightness(_scene().resize((200, 160))).enhance(1.2)
    copy = await _store(storage, towards(ONE, OTHER, 0.03), brighter)

    assert first.duplicate_of is None
    assert copy.duplicate_of is not None
    assert copy.duplicate_of.id == first.id
    assert 0 < copy.duplicate_of.distance < 0.01
    assert await _duplicate_of(storage, copy.id) == first.id
    listed = (await storage.get("/v1/images")).json()["items"]
    assert [item["duplicate_of"] and item["duplicate_of"]["id"] for item in listed] == [str(first.id), None]

    await storage.delete(f"/v1/images/{first.id}")
    assert await _duplicate_of(storage, copy.id) is None


async def test_an_image_whose_caption_comes_later_is_compared_then(storage: httpx.AsyncClient) -> None:
    first = await _store(storage, ONE, _scene())
    late = await _store(storage, None, _scene())
    [lease] = (await storage.post("/v1/leases", json={"kind": "caption", "lease_s": 60})).json()["items"]
    caption = embedded(b"", towards(ONE, OTHER, 0.03)).caption
    assert caption is not None

    outcome = {"caption": caption.model_dump(mode="json")}
    completed = ImageRecord.model_validate_json(
        (await storage.post(f"/v1/leases/{lease['token']}", json=outcome)).content
    )

    assert completed.id == late.id
    assert completed.duplicate_of is not None
    assert completed.duplicate_of.id == first.id


async def test_pictures_that_only_embed_alike_are_no_duplicates(storage: httpx.AsyncClient) -> None:
    await _store(storage, ONE, _scene(1))
    other = await _store(storage, ONE, _scene(2))

    assert other.duplicate_of is None
    assert len((await _similar(storage, other.id)).items) == 1


async def test_pictures_that_look_alike_to_different_encoders_are_not_compared(storage: httpx.AsyncClient) -> None:
    first = await _store(storage, ONE, _scene(), encoder="vgg16@0+old")
    second = await _store(storage, ONE, _scene())

    assert second.duplicate_of is None
    assert (await _similar(storage, first.id)).items == []


async def test_an_unreadable_preview_costs_nothing(storage: httpx.AsyncClient) -> None:
    await _store(storage, ONE, b"no jpeg")
    second = await _store(storage, ONE, b"no jpeg either")

    assert second.duplicate_of is None


@pytest.mark.parametrize(
    "wrong",
    [{"embedding": [0.1] * 255}, {"encoder": None}, {"encoder": ""}, {"encoder": "x" * 191}, {"embedding": None}],
)
async def test_a_wrong_embedding_is_refused(storage: httpx.AsyncClient, wrong: dict[str, object]) -> None:
    content = b"wrong"
    new = embedded(content, ONE)
    assert new.caption is not None
    record = new.model_copy(update={"caption": new.caption.model_copy(update=wrong)}).model_dump_json()
    files = {"original": ("o", content), "preview": ("p", encoded(_scene()))}
    response = await storage.post("/v1/images", data={"record": record}, files=files)

    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


async def test_the_index_command_writes_an_index_that_the_service_uses(
    storage: httpx.AsyncClient, engine_url: str, folder: Path
) -> None:
    stored = [await _store(storage, towards(ONE, OTHER, n / 5), _scene(n)) for n in range(5)]

    written = _storage_index(folder, engine_url)
    assert (written.returncode, written.stderr) == (0, "")
    assert written.stdout.startswith("vgg16@1+abc: 5 images, 5 of them new, in ")
    assert len(list((folder.parent / "index").glob("*.usearch"))) == 1
    assert "5 images, 0 of them new" in _storage_index(folder, engine_url).stdout
    assert "5 images, 5 of them new" in _storage_index(folder, engine_url, "--rebuild").stdout
    assert [item.image for item in (await _similar(storage, stored[0].id)).items] == stored[1:]


def test_the_index_command_says_in_one_sentence_why_it_cannot_run(tmp_path: Path) -> None:
    refused = _storage_index(tmp_path / "store", "oracle://x")

    assert refused.returncode == 1
    assert refused.stderr.startswith("storage-index cannot run: STORAGE_DATABASE_URL must begin with")
    empty = _storage_index(tmp_path / "store", f"sqlite+aiosqlite:///{tmp_path}/new.sqlite3")
    assert empty.returncode == 1
    assert "run storage-migrate" in empty.stderr


def _storage_index(store: Path, database_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("storage-index")), *arguments]
    settings = {"STORAGE_DATABASE_URL": database_url, "STORAGE_INDEX_DIR": str(store.parent / "index")}
    return subprocess.run(command, env=settings, capture_output=True, text=True, check=False, timeout=120)
