from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Connection, event, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts import Correction, ImageRecord
from shared.deadline import Deadline
from shared.errors import DeadlineExceeded, NotFound
from shared.worker import BoundedWorker
from storage_service.archive import Archive
from storage_service.database import Database
from storage_service.errors import HashMismatch
from storage_service.lineage import record_of
from storage_service.tables import Analysis, Image, Posting
from storage_service.uuid7 import uuid7
from tests.unit.storage.samples import PREVIEW, files_below, new_image, upload

CONTENT = b"\xff\xd8 a dog"


class CommitFails(Exception):
    """What the test's database raises."""


@pytest.fixture
def no_commits(engine: AsyncEngine) -> list[bool]:
    """Each entry makes one commit of a writing transaction fail."""
    refuse: list[bool] = []

    @event.listens_for(engine.sync_engine, "commit")
    def _commit(connection: Connection) -> None:
        if refuse and "sqlite_begin" in connection.get_execution_options():
            refuse.pop()
            raise CommitFails

    return refuse


async def _add(
    archive: Archive,
    *,
    filename: str = "dog.jpg",
    label: str | None = "photo",
    caption: str | None = "a dog runs on grass",
) -> ImageRecord:
    new = new_image(CONTENT, filename=filename, label=label, caption=caption)
    record, _ = await archive.add(upload(new, CONTENT), deadline=Deadline.after(30))
    return record


async def _correct(
    archive: Archive, image_id: UUID, *, label: str | None = None, caption: str | None = None
) -> ImageRecord:
    correction = Correction(label=label, caption=caption)
    return await archive.correct(image_id, correction, deadline=Deadline.after(30))


async def _path(database: Database, image_id: UUID) -> str:
    async with database.reading() as images:
        return (await images.get(image_id)).path


async def test_an_image_is_filed_under_its_label_with_its_preview(archive: Archive, folder: Path) -> None:
    record = await _add(archive)

    assert files_below(folder) == [f".previews/{record.id}.jpg", f"photo/dog--{record.id}.jpg"]
    assert (folder / f"photo/dog--{record.id}.jpg").read_bytes() == CONTENT
    assert (folder / f".previews/{record.id}.jpg").read_bytes() == PREVIEW
    assert record.status == "complete"
    assert record.size_bytes == len(CONTENT)
    assert record.label.model_dump() == {"value": "photo", "confidence": 0.9, "source": "model", "model": "cnn@3"}
    assert record.caption is not None
    assert record.caption.model == "vgg16-attention@1"
    assert [label.value for label in record.labels] == ["photo", "other"]


async def test_an_image_of_which_nothing_is_known_is_pending_and_unclassified(archive: Archive, folder: Path) -> None:
    record = await _add(archive, label=None, caption=None)

    assert (record.status, record.caption, record.labels, record.captions) == ("pending", None, [], [])
    assert record.label.model_dump() == {
        "value": "unclassified",
        "confidence": None,
        "source": "model",
        "model": None,
    }
    assert (folder / f"unclassified/dog--{record.id}.jpg").is_file()


async def test_an_image_with_only_a_label_is_pending_under_that_label(archive: Archive, folder: Path) -> None:
    record = await _add(archive, caption=None)

    assert (record.status, record.label.value) == ("pending", "photo")
    assert (folder / f"photo/dog--{record.id}.jpg").is_file()


async def test_what_is_returned_is_what_is_stored(archive: Archive, database: Database) -> None:
    record = await _add(archive, filename="🐕 名.jpg", caption="a dog 🐕")
    corrected = await _correct(archive, record.id, label="meme")

    async with database.reading() as images:
        assert record_of(await images.get(record.id)) == corrected
    assert corrected.created_at == record.created_at
    assert corrected.filename == "🐕 名.jpg"


async def test_known_bytes_answer_with_the_stored_record(archive: Archive, folder: Path) -> None:
    first = await _add(archive, filename="dog.jpg")

    again, is_new = await archive.add(
        upload(new_image(CONTENT, filename="other.jpg"), CONTENT), deadline=Deadline.after(30)
    )

    assert (again, is_new) == (first, False)
    assert len(files_below(folder)) == 2


async def test_of_equal_uploads_at_once_one_wins_and_all_get_its_record(archive: Archive, folder: Path) -> None:
    answers = await asyncio.gather(
        *(archive.add(upload(new_image(CONTENT), CONTENT), deadline=Deadline.after(30)) for _ in range(8))
    )

    assert len({record.id for record, _ in answers}) == 1
    assert sum(is_new for _, is_new in answers) == 1
    assert len(files_below(folder)) == 2


async def test_many_uploads_at_once_are_all_stored(archive: Archive, folder: Path) -> None:
    contents = [str(number).encode() for number in range(40)]

    answers = await asyncio.gather(
        *(archive.add(upload(new_image(content), content), deadline=Deadline.after(60)) for content in contents)
    )

    assert len({record.id for record, is_new in answers if is_new}) == 40
    assert len(files_below(folder)) == 80


async def test_other_bytes_than_the_record_says_are_refused(archive: Archive, folder: Path) -> None:
    with pytest.raises(HashMismatch):
        await archive.add(upload(new_image(CONTENT), b"something else"), deadline=Deadline.after(30))

    assert files_below(folder) == []


async def test_a_row_that_cannot_be_committed_leaves_no_file(
    archive: Archive, folder: Path, no_commits: list[bool]
) -> None:
    no_commits.append(True)
    with pytest.raises(CommitFails):
        await _add(archive)

    assert files_below(folder) == []
    await _add(archive)
    assert len(files_below(folder)) == 2


async def test_a_new_label_moves_the_file_and_is_a_persons(archive: Archive, folder: Path) -> None:
    record = await _add(archive)

    corrected = await _correct(archive, record.id, label="meme")

    assert corrected.label.model_dump() == {"value": "meme", "confidence": None, "source": "person", "model": None}
    assert corrected.caption == record.caption
    assert corrected.labels == record.labels
    assert files_below(folder) == [f".previews/{record.id}.jpg", f"meme/dog--{record.id}.jpg"]
    assert not (folder / "photo").exists()


async def test_a_new_caption_moves_nothing(archive: Archive, folder: Path) -> None:
    record = await _add(archive)
    before = files_below(folder)

    corrected = await _correct(archive, record.id, caption="  my dog Rex ")

    assert corrected.caption is not None
    assert (corrected.caption.value, corrected.caption.source) == ("my dog Rex", "person")
    assert corrected.label == record.label
    assert files_below(folder) == before


async def test_the_latest_correction_counts_and_every_word_is_kept(
    archive: Archive, folder: Path, engine: AsyncEngine
) -> None:
    record = await _add(archive)
    for label in ("meme", "photo", "scan", "photo", "photo"):
        record = await _correct(archive, record.id, label=label)

    assert (record.label.value, record.label.source) == ("photo", "person")
    assert files_below(folder) == [f".previews/{record.id}.jpg", f"photo/dog--{record.id}.jpg"]
    async with engine.connect() as connection:
        kept = await connection.scalar(select(func.count()).select_from(Analysis).where(Analysis.kind == "label"))
    assert kept == 6


async def test_a_person_can_complete_a_pending_image(archive: Archive) -> None:
    record = await _add(archive, label=None, caption=None)

    half = await _correct(archive, record.id, label="photo")
    whole = await _correct(archive, record.id, caption="my dog")

    assert (half.status, whole.status) == ("pending", "complete")


async def test_corrections_at_once_leave_one_file_where_the_row_says(
    archive: Archive, database: Database, folder: Path
) -> None:
    record = await _add(archive)
    labels = ["meme", "photo", "scan", "art"] * 2

    await asyncio.gather(*(_correct(archive, record.id, label=label) for label in labels))

    path = await _path(database, record.id)
    assert files_below(folder) == sorted([f".previews/{record.id}.jpg", path])


async def test_a_file_can_be_read_while_it_is_moved_to_and_fro(archive: Archive) -> None:
    record = await _add(archive)
    done = asyncio.Event()

    async def read_on() -> int:
        count = 0
        while not done.is_set():
            _, file = await archive.open_original(record.id, deadline=Deadline.after(30))
            with file:
                assert file.read() == CONTENT
            count += 1
        return count

    reading = asyncio.create_task(read_on())
    for label in ["meme", "photo"] * 4:
        await _correct(archive, record.id, label=label)
    done.set()

    assert await reading > 0


async def test_a_correction_that_cannot_be_committed_leaves_the_file_where_it_was(
    archive: Archive, database: Database, folder: Path, no_commits: list[bool]
) -> None:
    record = await _add(archive)
    before = files_below(folder)

    no_commits.append(True)
    with pytest.raises(CommitFails):
        await _correct(archive, record.id, label="meme")

    assert files_below(folder) == before
    assert await _path(database, record.id) in before


async def test_deleting_leaves_nothing(archive: Archive, folder: Path, engine: AsyncEngine) -> None:
    record = await _add(archive)
    await _correct(archive, record.id, label="meme")

    await archive.delete(record.id, deadline=Deadline.after(30))

    assert files_below(folder) == []
    async with engine.connect() as connection:
        for table in (Image, Analysis, Posting):
            assert await connection.scalar(select(func.count()).select_from(table)) == 0


async def test_a_delete_that_cannot_be_committed_removes_no_file(
    archive: Archive, folder: Path, no_commits: list[bool]
) -> None:
    record = await _add(archive)

    no_commits.append(True)
    with pytest.raises(CommitFails):
        await archive.delete(record.id, deadline=Deadline.after(30))

    assert len(files_below(folder)) == 2


async def test_what_is_not_there_can_be_neither_corrected_nor_deleted(archive: Archive) -> None:
    with pytest.raises(NotFound):
        await _correct(archive, uuid7(), label="photo")
    with pytest.raises(NotFound):
        await archive.delete(uuid7(), deadline=Deadline.after(30))


async def test_a_change_whose_deadline_passes_is_still_finished(
    archive: Archive, database: Database, worker: BoundedWorker
) -> None:
    go_on = threading.Event()
    busy = [asyncio.create_task(worker.run(go_on.wait, deadline=Deadline.after(60))) for _ in range(2)]
    await asyncio.sleep(0)
    late = upload(new_image(CONTENT), CONTENT)

    with pytest.raises(DeadlineExceeded):
        await archive.add(late, deadline=Deadline.after(0.3))
    go_on.set()
    await archive.finish()

    async with database.reading() as images:
        assert await images.find_by_sha256(late.new.sha256) is not None
    await asyncio.gather(*busy)
