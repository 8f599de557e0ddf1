"""What the archive promises with a folder, it keeps with a bucket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.contracts import Correction
from shared.deadline import Deadline
from shared.worker import BoundedWorker
from storage_service.archive import Archive
from storage_service.database import Database
from storage_service.errors import StorageUnavailable
from storage_service.image_store import ImageStore, open_store
from tests.unit.storage.buckets import S3Server
from tests.unit.storage.samples import new_image, upload

CONTENT = b"\xff\xd8 a dog"


@pytest.fixture
def store(s3_server: S3Server) -> ImageStore:
    return open_store(f"s3://{s3_server.new_bucket()}/images", access=s3_server.access)


@pytest.fixture
async def archive(database: Database, store: ImageStore, worker: BoundedWorker) -> AsyncIterator[Archive]:
    archive = Archive(database, store, worker)
    yield archive
    await archive.finish()


def _files(store: ImageStore) -> list[str]:
    return sorted(file.path for file in store.files())


async def test_an_image_is_filed_moved_and_deleted(archive: Archive, store: ImageStore) -> None:
    record, _ = await archive.add(upload(new_image(CONTENT), CONTENT), deadline=Deadline.after(60))
    assert _files(store) == [f".previews/{record.id}.jpg", f"photo/dog--{record.id}.jpg"]

    await archive.correct(record.id, Correction(label="meme"), deadline=Deadline.after(60))
    assert _files(store) == [f".previews/{record.id}.jpg", f"meme/dog--{record.id}.jpg"]
    _, file = await archive.open_original(record.id, deadline=Deadline.after(60))
    with file:
        assert file.read() == CONTENT

    await archive.delete(record.id, deadline=Deadline.after(60))
    assert _files(store) == []


async def test_a_bucket_that_refuses_leaves_rows_and_files_as_they_were(
    archive: Archive, store: ImageStore, s3_server: S3Server, database: Database
) -> None:
    record, _ = await archive.add(upload(new_image(CONTENT), CONTENT), deadline=Deadline.after(60))
    before = _files(store)

    s3_server.refuse()
    with pytest.raises(StorageUnavailable):
        await archive.add(upload(new_image(b"other"), b"other"), deadline=Deadline.after(60))
    with pytest.raises(StorageUnavailable):
        await archive.correct(record.id, Correction(label="meme"), deadline=Deadline.after(60))
    with pytest.raises(StorageUnavailable):
        await archive.delete(record.id, deadline=Deadline.after(60))
    s3_server.admit()

    assert _files(store) == before
    async with database.reading() as images:
        assert (await images.get(record.id)).label == "photo"
        assert await images.find_by_sha256(new_image(b"other").sha256) is None
