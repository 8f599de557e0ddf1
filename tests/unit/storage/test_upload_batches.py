"""Batches of uploads in storage: counts that follow the images, interruption, cancelling, sending again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.batch_contracts import Refusal
from shared.contracts import Alternative, CaptionAnswer, ClassificationAnswer, Correction, ImageRecord, Kind
from shared.deadline import Deadline
from shared.errors import BadRequest, NotFound
from shared.upload_batches import BatchCounts, BatchNews, Ending, NewBatch, NotedFile, UploadBatch
from shared.work_contracts import LeaseRequest, WorkFailure, WorkOutcome
from storage_service.archive import Archive
from storage_service.completion import Completion
from storage_service.database import Database
from storage_service.errors import BatchIdTaken, LeaseLost
from storage_service.upload_batch_tables import Batch, File
from storage_service.upload_batches import BatchKeeping
from tests.unit.storage.samples import CAPTIONER, CLASSIFIER, new_image, upload

RECEIVING_S = 30.0
NOT_READABLE = Refusal(code="unsupported_image", detail="this is a letter")


class Clock:
    """The true time, and what was added to it."""

    ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def batches(database: Database, clock: Clock) -> BatchKeeping:
    return BatchKeeping(database, clock=clock)


@pytest.fixture
def completion(database: Database, archive: Archive) -> Completion:
    return Completion(database, archive)


def _soon() -> Deadline:
    return Deadline.after(30)


async def _store(archive: Archive, content: bytes, *, is_complete: bool = False) -> ImageRecord:
    said = {"label": "photo", "caption": "a dog"} if is_complete else {"label": None, "caption": None}
    record, _ = await archive.add(upload(new_image(content, **said), content), deadline=_soon())
    return record


def _stored(position: int, image_id: UUID, *, is_known: bool = False) -> NotedFile:
    return NotedFile(position=position, filename=f"{position}.jpg", image_id=image_id, is_known=is_known)


def _refused(position: int, name: str = "letter.txt") -> NotedFile:
    return NotedFile(position=position, filename=name, archive="all.zip", refusal=NOT_READABLE)


def _news(*files: NotedFile, ending: Ending | None = None) -> BatchNews:
    return BatchNews(files=list(files), receiving_s=RECEIVING_S, ending=ending)


async def _begin(batches: BatchKeeping) -> UUID:
    return (await batches.begin(NewBatch(receiving_s=RECEIVING_S))).id


async def _sent(archive: Archive, batches: BatchKeeping, *contents: bytes) -> tuple[UUID, list[ImageRecord]]:
    """Return a batch of new images that has come whole."""
    batch_id = await _begin(batches)
    records = [await _store(archive, content) for content in contents]
    files = [_stored(position, record.id) for position, record in enumerate(records, 1)]
    await batches.note(batch_id, _news(*files, ending="received"))
    return batch_id, records


async def _describe(completion: Completion, *kinds: Kind, limit: int = 1) -> None:
    """Do the oldest work of each kind."""
    for kind in kinds:
        for lease in (await completion.lease(LeaseRequest(kind=kind, limit=limit, lease_s=30))).items:
            await completion.finish(lease.token, _said(kind), deadline=_soon())


def _said(kind: Kind) -> WorkOutcome:
    best = [Alternative(value="photo" if kind == "label" else "a dog", confidence=0.8)]
    if kind == "label":
        return WorkOutcome(classification=ClassificationAnswer(label="photo", labels=best, model=CLASSIFIER))
    return WorkOutcome(caption=CaptionAnswer(captions=best, model=CAPTIONER))


async def _status(database: Database, image_id: UUID) -> str:
    image = await database.read(lambda images: images.get(image_id), deadline=_soon())
    return image.status


async def _counted_anew(engine: AsyncEngine) -> list[BatchCounts]:
    """Count the files of each batch, as nobody does who looks on."""
    found = []
    async with engine.connect() as connection:
        for seq in await connection.scalars(select(Batch.seq).order_by(Batch.seq)):
            statement = select(File.status, func.count()).where(File.batch_seq == seq).group_by(File.status)
            counts = dict((await connection.execute(statement)).all())
            is_known = select(func.count()).where(File.batch_seq == seq, File.is_known)
            known = await connection.scalar(is_known)
            found.append(BatchCounts(received=sum(counts.values()), known=known or 0, **counts))
    return found


async def _told_counts(batches: BatchKeeping) -> list[BatchCounts]:
    return [batch.counts for batch in (await batches.page(cursor=None, limit=50)).items][::-1]


async def test_a_batch_is_received_then_worked_off_then_complete(
    archive: Archive, batches: BatchKeeping, completion: Completion
) -> None:
    batch_id = await _begin(batches)
    images = [await _store(archive, b"1"), await _store(archive, b"2", is_complete=True)]
    begun = await batches.note(
        batch_id, _news(_stored(1, images[0].id), _stored(2, images[1].id, is_known=True), _refused(3))
    )
    assert (begun.state, begun.is_done) == ("receiving", False)
    assert begun.counts == BatchCounts(received=3, known=1, pending=1, complete=1, refused=1)

    await batches.note(batch_id, _news(ending="received"))
    working = await batches.get(batch_id)
    assert (working.state, working.eta_s, working.rate_per_s) == ("working", None, 0)
    assert [(file.filename, file.archive, file.refusal) for file in working.refused] == [
        ("letter.txt", "all.zip", NOT_READABLE)
    ]

    await _describe(completion, "caption")
    assert (await batches.get(batch_id)).counts.pending == 1  # its label is still missing
    await _describe(completion, "label")
    done = await batches.get(batch_id)
    assert (done.state, done.is_done, done.eta_s) == ("complete", True, 0)
    assert done.counts == BatchCounts(received=3, known=1, complete=2, refused=1)
    assert done.changes > working.changes


async def test_rate_and_remaining_time_come_from_what_was_done_in_the_last_minute(
    archive: Archive, batches: BatchKeeping, completion: Completion, clock: Clock
) -> None:
    batch_id, _ = await _sent(archive, batches, b"1", b"2", b"3", b"4")
    await _describe(completion, "caption", "label", limit=2)
    clock.ahead = timedelta(seconds=20)  # no more, or a slow machine may have done it more than a minute ago

    batch = await batches.get(batch_id)

    assert batch.counts.pending == 2
    assert batch.rate_per_s > 0
    assert batch.eta_s == pytest.approx(2 / batch.rate_per_s, rel=0.2)
    clock.ahead = timedelta(seconds=200)
    later = await batches.get(batch_id)
    assert (later.rate_per_s, later.eta_s) == (0, None)


async def test_news_that_is_sent_again_is_noted_once(archive: Archive, batches: BatchKeeping) -> None:
    batch_id = await _begin(batches)
    news = _news(_stored(1, (await _store(archive, b"1")).id), _refused(2))

    for _ in range(3):
        told = await batches.note(batch_id, news)

    assert told.counts == BatchCounts(received=2, pending=1, refused=1)


async def test_a_receiver_that_is_not_heard_of_leaves_an_interrupted_batch_whose_images_are_described(
    archive: Archive, batches: BatchKeeping, completion: Completion, clock: Clock
) -> None:
    batch_id = await _begin(batches)
    await batches.note(batch_id, _news(_stored(1, (await _store(archive, b"1")).id)))

    clock.ahead = timedelta(seconds=RECEIVING_S + 1)

    interrupted = await batches.get(batch_id)
    assert (interrupted.state, interrupted.is_done, interrupted.counts.pending) == ("interrupted", False, 1)
    assert interrupted.reason
    await _describe(completion, "caption", "label")
    assert (await batches.get(batch_id)).is_done
    # A receiver that was only paused goes on.
    assert (await batches.note(batch_id, _news())).state == "receiving"


async def test_a_cancelled_batch_keeps_its_images_and_describes_no_more_of_them_until_a_retry(
    archive: Archive, batches: BatchKeeping, completion: Completion, database: Database
) -> None:
    batch_id, records = await _sent(archive, batches, b"1", b"2", b"3")
    await _describe(completion, "caption", "label")

    cancelled = await batches.cancel(batch_id, deadline=_soon())

    assert (cancelled.state, cancelled.is_done) == ("cancelled", True)
    assert cancelled.counts == BatchCounts(received=3, complete=1, failed=2)
    assert (await completion.lease(LeaseRequest(kind="caption", lease_s=30))).items == []
    async with database.reading() as images:
        left = await images.get(records[1].id)
    assert left.failure is not None
    assert "cancelled" in left.failure
    await completion.retry(records[1].id)
    await _describe(completion, "caption", "label")
    assert await _status(database, records[1].id) == "complete"
    assert (await batches.get(batch_id)).counts == BatchCounts(received=3, complete=2, failed=1)


async def test_cancelling_takes_work_in_progress_away_and_a_late_word_is_refused(
    archive: Archive, batches: BatchKeeping, completion: Completion, database: Database
) -> None:
    batch_id, [record] = await _sent(archive, batches, b"1")
    [lease] = (await completion.lease(LeaseRequest(kind="caption", lease_s=30))).items

    await batches.cancel(batch_id, deadline=_soon())

    with pytest.raises(LeaseLost):
        await completion.finish(lease.token, _said("caption"), deadline=_soon())
    assert await _status(database, record.id) == "failed"


async def test_what_another_batch_or_a_single_upload_wants_is_described_all_the_same(
    archive: Archive, batches: BatchKeeping, database: Database
) -> None:
    first, [shared, alone] = await _sent(archive, batches, b"1", b"2")
    single = await _store(archive, b"3")
    second = await _begin(batches)
    files = [_stored(1, shared.id, is_known=True), _stored(2, single.id, is_known=True)]
    await batches.note(second, _news(*files, ending="received"))

    await batches.cancel(first, deadline=_soon())
    statuses = [await _status(database, record.id) for record in (shared, alone, single)]
    assert statuses == ["pending", "failed", "pending"]

    await batches.cancel(second, deadline=_soon())
    statuses = [await _status(database, record.id) for record in (shared, alone, single)]
    assert statuses == ["failed", "failed", "pending"]


async def test_sending_again_what_a_cancel_left_undescribed_has_it_described(
    archive: Archive, batches: BatchKeeping, completion: Completion, database: Database
) -> None:
    first, [record, hopeless] = await _sent(archive, batches, b"1", b"2")
    for kind in ("caption", "caption", "caption"):
        await completion.retry(hopeless.id)
        leases = (await completion.lease(LeaseRequest(kind=kind, limit=9, lease_s=30))).items
        failure = WorkOutcome(failure=WorkFailure(reason="no", is_of_image=True))
        for lease in leases:
            if lease.image_id == hopeless.id:
                await completion.finish(lease.token, failure, deadline=_soon())
    await batches.cancel(first, deadline=_soon())
    assert await _status(database, record.id) == "failed"

    again = await _begin(batches)
    told = await batches.note(again, _news(_stored(1, record.id, is_known=True), ending="received"))

    assert (told.state, told.counts.pending) == ("working", 1)
    await _describe(completion, "caption", "label", limit=9)
    assert (await batches.get(again)).state == "complete"


async def test_a_batch_that_is_done_cannot_be_cancelled_any_more(
    archive: Archive, batches: BatchKeeping, completion: Completion
) -> None:
    batch_id, _ = await _sent(archive, batches, b"1")
    await _describe(completion, "caption", "label")

    assert (await batches.cancel(batch_id, deadline=_soon())).state == "complete"


async def test_a_batch_that_is_cancelled_while_it_comes_stays_cancelled(
    archive: Archive, batches: BatchKeeping, database: Database
) -> None:
    batch_id = await _begin(batches)
    await batches.cancel(batch_id, deadline=_soon())
    record = await _store(archive, b"1")

    told = await batches.note(batch_id, _news(_stored(1, record.id), ending="received"))

    assert told.state == "cancelled"
    await batches.cancel(batch_id, deadline=_soon())  # as whoever received it does then
    assert await _status(database, record.id) == "failed"


async def test_counts_are_right_after_corrections_undoing_deletions_and_the_same_file_twice(
    archive: Archive, batches: BatchKeeping, completion: Completion, engine: AsyncEngine
) -> None:
    first, records = await _sent(archive, batches, b"1", b"2", b"3", b"4")
    second = await _begin(batches)
    twice = [_stored(1, records[0].id, is_known=True), _stored(2, records[0].id, is_known=True)]
    await batches.note(second, _news(*twice, ending="received"))
    await _describe(completion, "caption", "label")
    await archive.correct(records[1].id, Correction(label="pets", caption="Rex"), deadline=_soon())
    await archive.delete(records[2].id, deadline=_soon())

    assert await _told_counts(batches) == await _counted_anew(engine)
    assert (await batches.get(first)).counts == BatchCounts(received=4, complete=2, deleted=1, pending=1)
    assert (await batches.get(second)).counts == BatchCounts(received=2, known=2, complete=2)
    [gone] = (await batches.files(first, status="deleted", cursor=None, limit=9)).items
    assert (gone.filename, gone.image_id) == ("3.jpg", None)


async def test_counts_are_exact_when_images_are_described_while_they_are_noted(
    archive: Archive, batches: BatchKeeping, completion: Completion, engine: AsyncEngine
) -> None:
    ids = [await _begin(batches) for _ in range(2)]
    records = [await _store(archive, str(number).encode()) for number in range(12)]

    async def note(batch_id: UUID) -> None:
        for position, record in enumerate(records, 1):
            news = _news(_stored(position, record.id))
            await archive.to_the_end(lambda news=news: batches.note(batch_id, news), deadline=_soon())  # type: ignore[misc]

    async def describe(kind: Kind) -> None:
        for _ in records:
            await _describe(completion, kind)

    await asyncio.gather(*(note(batch_id) for batch_id in ids), describe("caption"), describe("label"))

    assert await _told_counts(batches) == await _counted_anew(engine)
    assert [counts.complete for counts in await _told_counts(batches)] == [12, 12]


async def test_an_image_that_was_deleted_before_it_was_noted_is_told_as_deleted(
    archive: Archive, batches: BatchKeeping
) -> None:
    batch_id = await _begin(batches)

    told = await batches.note(batch_id, _news(_stored(1, uuid4()), ending="received"))

    assert (told.state, told.counts) == ("complete", BatchCounts(received=1, deleted=1))


async def test_batches_and_files_come_in_pages(archive: Archive, batches: BatchKeeping) -> None:
    ids = [await _begin(batches) for _ in range(5)]
    await batches.note(ids[0], _news(*(_refused(number, f"{number}.txt") for number in range(1, 8))))

    async def list_all() -> list[UploadBatch]:
        found, cursor = [], None
        while True:
            page = await batches.page(cursor=cursor, limit=2)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                return found

    assert [batch.id for batch in await list_all()] == ids[::-1]
    first = await batches.files(ids[0], status="refused", cursor=None, limit=4)
    rest = await batches.files(ids[0], status="refused", cursor=first.next_cursor, limit=4)
    assert [file.position for file in [*first.items, *rest.items]] == list(range(1, 8))
    assert rest.next_cursor is None
    assert (await batches.files(ids[0], status="pending", cursor=None, limit=4)).items == []
    with pytest.raises(BadRequest):
        await batches.page(cursor="x", limit=2)


async def test_an_id_is_chosen_once_and_an_unknown_batch_is_not_found(batches: BatchKeeping) -> None:
    mine = uuid4()
    await batches.begin(NewBatch(id=mine, receiving_s=RECEIVING_S))

    with pytest.raises(BatchIdTaken):
        await batches.begin(NewBatch(id=mine, receiving_s=RECEIVING_S))
    with pytest.raises(NotFound):
        await batches.get(uuid4())
    with pytest.raises(NotFound):
        await batches.cancel(uuid4(), deadline=_soon())
