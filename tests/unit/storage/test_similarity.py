from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.app import StartupError
from shared.deadline import Deadline
from shared.errors import NotEmbedded, NotFound, Overloaded
from shared.worker import BoundedWorker
from storage_service import similarity as similarity_module
from storage_service.database import Database
from storage_service.image_rows import enter_whole
from storage_service.image_store import ImageStore
from storage_service.index_building import build_all
from storage_service.new_images import image_of
from storage_service.similar import SimilarPictures
from storage_service.similarity import Similarity
from storage_service.tables import Embedding
from storage_service.uuid7 import uuid7
from tests.unit.storage.embedded import Directions, add_embedded, directions, embedded, towards
from tests.unit.storage.samples import new_image


class Wishes:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def wishes() -> Wishes:
    return Wishes()


@pytest.fixture
def searcher() -> Iterator[BoundedWorker]:
    worker = BoundedWorker("search", threads=1, waiting=100)
    yield worker
    worker.close()


@pytest.fixture
def index_folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def similarity(database: Database, searcher: BoundedWorker, index_folder: Path, wishes: Wishes) -> Similarity:
    return Similarity(database, searcher, folder=index_folder, index_after_rows=500, fresh_s=0, wish=wishes)


@pytest.fixture
def pictures(database: Database, store: ImageStore, similarity: Similarity, worker: BoundedWorker) -> SimilarPictures:
    return SimilarPictures(database, store, similarity, worker)


async def _similar(pictures: SimilarPictures, image_id: UUID, limit: int = 5) -> list[UUID]:
    answer = await pictures.similar(image_id, limit=limit, deadline=Deadline.after(30))
    distances = [item.distance for item in answer.items]
    assert distances == sorted(distances)
    return [item.image.id for item in answer.items]


def _in_a_row(count: int) -> Directions:
    """Return vectors that turn step by step from the first to another."""
    one, other = directions(2, seed=7)
    return np.stack([towards(one, other, share) for share in np.linspace(0, 0.9, count)])


def _damage(index_folder: Path, damage: str) -> None:
    (manifest,), (vectors,) = index_folder.glob("*.json"), index_folder.glob("*.usearch")
    if damage == "manifest":
        manifest.write_text("{")
    elif damage == "vectors":
        vectors.write_bytes(b"nothing of the kind")
    else:
        vectors.unlink()


def _change_a_probe(index_folder: Path) -> None:
    (file,) = index_folder.glob("*.json")
    manifest = json.loads(file.read_text())
    manifest["probes"]["1"] = "00" * 256
    file.write_text(json.dumps(manifest))


async def _delete(database: Database, *ids: UUID) -> None:
    async with database.writing() as images:
        for image_id in ids:
            await images.remove(await images.get(image_id))


@pytest.mark.parametrize("indexed", [0, 5, 10])
async def test_the_nearest_come_first_indexed_or_not(
    database: Database, pictures: SimilarPictures, index_folder: Path, indexed: int
) -> None:
    row = _in_a_row(10)
    ids = await add_embedded(database, row[:indexed])
    await build_all(database, index_folder, from_nothing=False)
    ids += await add_embedded(database, row[indexed:])
    await add_embedded(database, directions(20, seed=3))

    assert await _similar(pictures, ids[0], limit=4) == ids[1:5]
    assert (await _similar(pictures, ids[9], limit=2)) == [ids[8], ids[7]]


async def test_deleted_images_are_never_found_and_the_answer_is_full_all_the_same(
    database: Database, pictures: SimilarPictures, index_folder: Path
) -> None:
    ids = await add_embedded(database, _in_a_row(100))
    await build_all(database, index_folder, from_nothing=False)
    await _similar(pictures, ids[0])

    await _delete(database, *ids[1:90])

    assert await _similar(pictures, ids[0], limit=5) == ids[90:95]


async def test_an_index_with_much_of_it_gone_is_built_from_nothing(
    database: Database, pictures: SimilarPictures, index_folder: Path, wishes: Wishes
) -> None:
    ids = await add_embedded(database, _in_a_row(100))
    await build_all(database, index_folder, from_nothing=False)
    await _similar(pictures, ids[0])
    await _delete(database, *ids[1:90])
    await _similar(pictures, ids[0])

    assert wishes.count == 1
    (built,) = await build_all(database, index_folder, from_nothing=False)
    assert (built.rows, built.added) == (11, 11)
    assert await _similar(pictures, ids[0], limit=20) == ids[90:]


async def test_only_images_of_the_same_encoder_are_compared(database: Database, pictures: SimilarPictures) -> None:
    row = _in_a_row(6)
    old = await add_embedded(database, row[:3], encoder="vgg16@0+old")
    new = await add_embedded(database, row)

    assert await _similar(pictures, new[0], limit=10) == new[1:]
    assert await _similar(pictures, old[0], limit=10) == old[1:]


async def test_an_image_that_nothing_has_looked_at_says_so(
    database: Database, pictures: SimilarPictures, engine: AsyncEngine
) -> None:
    ids = await add_embedded(database, _in_a_row(2))
    async with engine.begin() as connection:
        await connection.execute(
            text("DELETE FROM embeddings WHERE seq = (SELECT MIN(image_seq) FROM near_duplicates)")
        )
        await connection.execute(text("DELETE FROM embeddings"))

    with pytest.raises(NotEmbedded, match="ask again when it is complete"):
        await _similar(pictures, ids[0])
    with pytest.raises(NotFound):
        await _similar(pictures, uuid7())


async def test_a_newer_embedding_takes_the_place_of_the_older_one(
    database: Database, pictures: SimilarPictures, index_folder: Path
) -> None:
    row = _in_a_row(5)
    ids = await add_embedded(database, row)
    await build_all(database, index_folder, from_nothing=False)
    assert await _similar(pictures, ids[0], limit=1) == [ids[1]]

    async with database.writing() as images:
        image = await images.get_locked(ids[1])
        await images.embeddings.note(image, embedded(b"", -row[0]).caption)

    assert await _similar(pictures, ids[0], limit=4) == [*ids[2:], ids[1]]


@pytest.mark.parametrize("count", [1, 3])
async def test_embeddings_of_new_images_are_told_as_they_are_kept(database: Database, count: int) -> None:
    await add_embedded(database, directions(2, seed=1))
    coming = [embedded(drawn.tobytes(), drawn) for drawn in directions(count)]
    coming.insert(1, new_image(b"nothing has looked at it"))
    rows = [image_of(new, size_bytes=1) for new in coming]
    answers = [(row, new.caption) for row, new in zip(rows, coming, strict=True)]
    async with database.writing_rows() as connection:
        told = await connection.run_sync(enter_whole, answers)

    async with database.reading() as images:
        kept = [await images.embeddings.of(row.id) for row in rows]
    assert len(told) == count
    for row, found in zip(rows, kept, strict=True):
        seen = told.get(row.id)
        assert (found is None) == (seen is None)
        assert found is None or _told(found) == _told(seen)
    another = new_image(b"nothing has looked at this one either")
    async with database.writing_rows() as connection:
        assert await connection.run_sync(enter_whole, [(image_of(another, size_bytes=1), another.caption)]) == {}


def _told(embedding: Embedding | None) -> tuple[object, ...]:
    assert embedding is not None
    return embedding.seq, embedding.image_seq, embedding.encoder, embedding.vector


async def test_what_another_process_writes_is_found(
    database: Database, pictures: SimilarPictures, index_folder: Path
) -> None:
    row = _in_a_row(6)
    ids = await add_embedded(database, row[:3])
    await _similar(pictures, ids[0])

    ids += await add_embedded(database, row[3:])
    await build_all(database, index_folder, from_nothing=False)
    assert await _similar(pictures, ids[0]) == ids[1:]
    await build_all(database, index_folder, from_nothing=True)
    assert await _similar(pictures, ids[0]) == ids[1:]


@pytest.mark.parametrize("damage", ["manifest", "vectors", "no vectors"])
async def test_a_damaged_index_is_not_used_and_another_one_wished_for(
    database: Database, pictures: SimilarPictures, index_folder: Path, wishes: Wishes, damage: str
) -> None:
    ids = await add_embedded(database, _in_a_row(10))
    await build_all(database, index_folder, from_nothing=False)
    _damage(index_folder, damage)

    assert await _similar(pictures, ids[0]) == ids[1:6]
    assert wishes.count >= 1
    (built,) = await build_all(database, index_folder, from_nothing=False)
    assert built.added == 10
    assert await _similar(pictures, ids[0]) == ids[1:6]


async def test_an_index_of_another_database_is_not_used(
    database: Database, pictures: SimilarPictures, index_folder: Path, wishes: Wishes
) -> None:
    ids = await add_embedded(database, _in_a_row(10))
    await build_all(database, index_folder, from_nothing=False)
    _change_a_probe(index_folder)

    assert await _similar(pictures, ids[0]) == ids[1:6]
    assert wishes.count >= 1


async def test_an_index_that_is_far_behind_is_wished_for_and_one_that_is_not_is_left(
    database: Database, pictures: SimilarPictures, wishes: Wishes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similarity_module, "OVERLAP_ROWS", 10)
    ids = await add_embedded(database, directions(500))
    await _similar(pictures, ids[0])
    assert wishes.count == 0

    await add_embedded(database, directions(20, seed=1))
    await _similar(pictures, ids[0])
    assert wishes.count == 1


async def test_too_many_vectors_without_an_index_are_told_not_left_out(
    database: Database, pictures: SimilarPictures, index_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similarity_module, "TAIL_LIMIT_ROWS", 8)
    ids = await add_embedded(database, _in_a_row(10))

    with pytest.raises(Overloaded, match="is being built"):
        await _similar(pictures, ids[0])
    monkeypatch.setattr("storage_service.index_building.OVERLAP_ROWS", 2)
    await build_all(database, index_folder, from_nothing=False)

    assert await _similar(pictures, ids[0]) == ids[1:6]


async def test_adding_to_an_index_adds_only_what_is_new(database: Database, index_folder: Path) -> None:
    await add_embedded(database, directions(30))
    (first,) = await build_all(database, index_folder, from_nothing=False)
    await add_embedded(database, directions(12, seed=1))
    (second,) = await build_all(database, index_folder, from_nothing=False)
    (third,) = await build_all(database, index_folder, from_nothing=False)
    (anew,) = await build_all(database, index_folder, from_nothing=True)

    assert [(each.rows, each.added) for each in (first, second, third, anew)] == [(30, 30), (42, 12), (42, 0), (42, 42)]


async def test_encoders_with_few_images_need_no_index(database: Database, index_folder: Path) -> None:
    await add_embedded(database, directions(3))
    assert await build_all(database, index_folder, from_nothing=False, at_least_rows=4) == []
    assert [file for file in os.listdir(index_folder) if file.startswith("similar-")] == []


async def test_two_at_once_do_not_write_the_same_index(database: Database, index_folder: Path) -> None:
    await add_embedded(database, directions(200))
    built = await asyncio.gather(
        *(build_all(database, index_folder, from_nothing=True) for _ in range(2)), return_exceptions=True
    )

    assert sorted(type(each).__name__ for each in built) == ["StartupError", "list"]
    assert "another storage-index" in str(next(each for each in built if isinstance(each, StartupError)))


async def test_searches_at_once_all_get_their_answer(database: Database, pictures: SimilarPictures) -> None:
    ids = await add_embedded(database, _in_a_row(30))
    found = await asyncio.gather(*(_similar(pictures, image_id, limit=29) for image_id in ids))

    assert all(set(each) == set(ids) - {asked} for each, asked in zip(found, ids, strict=True))
