"""Keep account of upload batches: what came, what became of it, and what shall not be described any more."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.contracts import Status
from shared.deadline import Deadline
from shared.errors import BadRequest
from shared.upload_batches import (
    MOST_REFUSED_SHOWN,
    BatchFiles,
    BatchNews,
    FileStatus,
    NewBatch,
    NotedFile,
    UploadBatch,
    UploadBatches,
)
from storage_service import lineage
from storage_service.database import Database
from storage_service.errors import BatchIdTaken
from storage_service.filenames import clean_filename
from storage_service.repeating import repeated
from storage_service.repository import ImageRepository
from storage_service.steps import in_steps
from storage_service.tables import Image
from storage_service.upload_batch_rows import BatchExists
from storage_service.upload_batch_tables import Batch
from storage_service.upload_batch_telling import CANCELLED, is_done, minute_before, told, told_file
from storage_service.uuid7 import uuid7

log = logging.getLogger(__name__)

IMAGES_A_STEP = 200
WHY_CANCELLED = "its batch was cancelled before it was described; a retry has it described all the same"


def _now() -> datetime:
    return datetime.now(UTC)


class BatchKeeping:
    """Begins batches, takes news of them, tells how far they are, and cancels them."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._clock = clock

    async def begin(self, new: NewBatch) -> UploadBatch:
        """Begin a batch; raise BatchIdTaken."""
        now = self._clock()
        until = now + timedelta(seconds=new.receiving_s)
        batch = Batch(id=new.id or uuid7(), created_at=now, receiving_until=until)
        try:
            async with self._database.writing() as images:
                await images.batches.add(batch)
        except BatchExists as error:
            raise BatchIdTaken(f"there is a batch {batch.id} already; choose another id") from error
        log.info("batch_begun", extra={"batch_id": batch.id})
        return told(batch, now=self._clock(), done=0)

    async def note(self, batch_id: UUID, news: BatchNews) -> UploadBatch:
        """Take news of a batch that is being received; a batch that was cancelled stays so. Raises NotFound."""
        image_ids = [file.image_id for file in news.files if file.image_id]
        async with self._database.writing() as images:
            known = await images.batches.images_locked(image_ids)  # before the batch, see `batch_following`
            await self._want_again(images, list(known.values()))
            batch = await images.batches.get_locked(batch_id)
            last = await images.batches.last_position(batch)
            fresh = [file for file in news.files if file.position > last]
            rows = [_row(batch, file, known) for file in fresh]
            await images.batches.enter(rows)
            self._count(batch, rows)
            if batch.ending is None:
                batch.receiving_until = self._clock() + timedelta(seconds=news.receiving_s)
                batch.ending, batch.reason = news.ending, news.reason
            if rows or news.ending:
                batch.changes += 1
        if news.ending:
            fields = {"batch_id": batch_id, "ending": batch.ending, "received": batch.received}
            log.info("batch_ended", extra=fields)
        return told(batch, now=self._clock(), done=0)

    async def get(self, batch_id: UUID) -> UploadBatch:
        """Return how far a batch has come, and its first refused files; raise NotFound."""
        async with self._database.reading() as images:
            batch = await images.batches.get(batch_id)
            refused = await images.batches.files(batch, status="refused", after=0, limit=MOST_REFUSED_SHOWN)
            done = await self._done(images, batch)
        shown = [told_file(file, image_id) for file, image_id in refused]
        return told(batch, now=self._clock(), done=done).model_copy(update={"refused": shown})

    async def page(self, *, cursor: str | None, limit: int) -> UploadBatches:
        """Return batches, the newest first."""
        before = None if cursor is None else _read_cursor(cursor)
        async with self._database.reading() as images:
            found = await images.batches.newest(before=before, limit=limit + 1)
            items = [told(batch, now=self._clock(), done=await self._done(images, batch)) for batch in found[:limit]]
        return UploadBatches(items=items, next_cursor=str(found[limit - 1].seq) if len(found) > limit else None)

    async def files(self, batch_id: UUID, *, status: FileStatus | None, cursor: str | None, limit: int) -> BatchFiles:
        """Return files of a batch in their order; raise NotFound."""
        after = 0 if cursor is None else _read_cursor(cursor)
        async with self._database.reading() as images:
            batch = await images.batches.get(batch_id)
            found = await images.batches.files(batch, status=status, after=after, limit=limit + 1)
        items = [told_file(file, image_id) for file, image_id in found[:limit]]
        return BatchFiles(items=items, next_cursor=str(items[-1].position) if len(found) > limit else None)

    async def cancel(self, batch_id: UUID, *, deadline: Deadline) -> UploadBatch:
        """Describe no more of a batch than others want; all that is stored stays. Raises NotFound.

        What the deadline leaves undone is still `pending` in the answer; asking again goes on.
        """
        await repeated(lambda: self._mark_cancelled(batch_id), deadline=deadline)
        await in_steps(lambda: repeated(lambda: self._end_some(batch_id), deadline=deadline), deadline=deadline)
        return await self.get(batch_id)

    async def _mark_cancelled(self, batch_id: UUID) -> None:
        async with self._database.writing() as images:
            batch = await images.batches.get_locked(batch_id)
            if batch.ending == CANCELLED or is_done(batch, now=self._clock()):
                return
            batch.ending = CANCELLED
            batch.changes += 1
        log.info("batch_cancelled", extra={"batch_id": batch_id, "pending": batch.pending})

    async def _end_some(self, batch_id: UUID) -> bool:
        async with self._database.writing() as images:
            batch = await images.batches.get(batch_id)
            if batch.ending != CANCELLED:
                return False
            found = await images.batches.unwanted(batch, limit=IMAGES_A_STEP)
            locked = await images.work.locked(found)
            for image in await images.batches.end_work(locked):
                if image.status == "pending":
                    image.failure = WHY_CANCELLED
                    lineage.refresh(image)
        return bool(found)

    async def _want_again(self, images: ImageRepository, locked: list[Image]) -> None:
        """Whoever sends what a cancel had left undescribed wants it described."""
        given_up = [image.seq for image in locked if image.status == "failed"]
        if given_up and (ended := await images.batches.ended_by_cancel(given_up)):
            await images.work.retry(ended, now=self._clock())

    async def _done(self, images: ImageRepository, batch: Batch) -> int:
        if batch.pending == 0:
            return 0
        return await images.batches.done_since(batch, minute_before(self._clock(), batch))

    def _count(self, batch: Batch, rows: list[dict[str, object]]) -> None:
        for status, count in Counter(str(row["status"]) for row in rows).items():
            setattr(batch, status, getattr(batch, status) + count)
        batch.received += len(rows)
        batch.known += sum(bool(row["is_known"]) for row in rows)


def _row(batch: Batch, file: NotedFile, known: dict[UUID, Image]) -> dict[str, object]:
    image = known.get(file.image_id) if file.image_id else None
    stored: Status | None = image.status if image else None
    return {
        "batch_seq": batch.seq,
        "position": file.position,
        "image_seq": image.seq if image else None,
        "filename": clean_filename(file.filename),
        "archive": file.archive and clean_filename(file.archive),
        "status": "refused" if file.refusal else stored or "deleted",
        "is_known": file.is_known,
        "code": file.refusal and file.refusal.code[:64],
        "detail": file.refusal and file.refusal.detail,
        "done_at": None,
    }


def _read_cursor(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise BadRequest(f"{cursor[:40]!r} is not a cursor that a list of batches or files has answered with")
    return int(cursor)
