"""The questions asked of the tables of upload batches, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from shared.errors import NotFound
from shared.upload_batches import FileStatus
from storage_service.pending_work import MISSING, MOST_REFUSALS
from storage_service.tables import Image, PendingWork
from storage_service.upload_batch_tables import Batch, File
from storage_service.upload_batch_telling import CANCELLED


class BatchExists(Exception):
    """The id that was chosen for a new batch is another's."""


class UploadBatchRows:
    """Batches and their files."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, batch: Batch) -> None:
        """Insert a new batch.

        Raises:
            BatchExists: its id is not new.
        """
        self._session.add(batch)
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise BatchExists from error

    async def get(self, batch_id: UUID) -> Batch:
        """Return a batch; raise NotFound."""
        return _known(await self._session.scalar(select(Batch).where(Batch.id == batch_id)), batch_id)

    async def get_locked(self, batch_id: UUID) -> Batch:
        """Return a batch whose row nobody else changes before this transaction ends; raise NotFound."""
        statement = select(Batch).where(Batch.id == batch_id).with_for_update()
        return _known(await self._session.scalar(statement), batch_id)

    async def newest(self, *, before: int | None, limit: int) -> list[Batch]:
        """Return batches, the newest first, older than the row number `before`."""
        statement = select(Batch).order_by(Batch.seq.desc()).limit(limit)
        if before is not None:
            statement = statement.where(Batch.seq < before)
        return list(await self._session.scalars(statement))

    async def files(
        self, batch: Batch, *, status: FileStatus | None, after: int, limit: int
    ) -> list[tuple[File, UUID | None]]:
        """Return files with a position above `after`, in their order, each with its image's id."""
        statement = (
            select(File, Image.id)
            .outerjoin(Image, Image.seq == File.image_seq)
            .where(File.batch_seq == batch.seq, File.position > after)
            .order_by(File.position)
            .limit(limit)
        )
        if status is not None:
            statement = statement.where(File.status == status)
        return [(file, image_id) for file, image_id in await self._session.execute(statement)]

    async def last_position(self, batch: Batch) -> int:
        """Return the highest position noted, 0 where none is."""
        last = select(func.max(File.position)).where(File.batch_seq == batch.seq)
        return await self._session.scalar(last) or 0

    async def done_since(self, batch: Batch, moment: datetime) -> int:
        """Return how many images of a batch were described or given up since a moment."""
        done = select(func.count()).where(File.batch_seq == batch.seq, File.done_at > moment)
        return await self._session.scalar(done) or 0

    async def enter(self, rows: Sequence[dict[str, object]]) -> None:
        """Insert files, whose images are locked."""
        if rows:
            await self._session.execute(insert(File), rows)

    async def images_locked(self, image_ids: Sequence[UUID]) -> dict[UUID, Image]:
        """Return those of the images that are there, locked until the transaction ends."""
        statement = select(Image).where(Image.id.in_(image_ids)).order_by(Image.seq).with_for_update()
        return {image.id: image for image in await self._session.scalars(statement)}

    async def ended_by_cancel(self, image_seqs: Sequence[int]) -> list[int]:
        """Return those images whose work was ended by a cancel: given up without a model having refused them."""
        statement = select(PendingWork.image_seq).where(
            PendingWork.image_seq.in_(image_seqs),
            PendingWork.due_at.is_(None),
            PendingWork.refusals < MOST_REFUSALS,
        )
        return list(await self._session.scalars(statement.distinct()))

    async def unwanted(self, batch: Batch, *, limit: int) -> list[int]:
        """Return pending images of a cancelled batch that nobody else wants: they came in batches, all cancelled."""
        other, first = aliased(File), aliased(File)
        wanted_by_another = (
            select(other.batch_seq)
            .join(Batch, Batch.seq == other.batch_seq)
            .where(other.image_seq == File.image_seq, func.coalesce(Batch.ending, "") != CANCELLED)
        )
        came_in_a_batch = select(first.batch_seq).where(first.image_seq == File.image_seq, first.is_known.is_(False))
        statement = (
            select(File.image_seq)
            .where(
                File.batch_seq == batch.seq,
                File.status == "pending",
                came_in_a_batch.exists(),
                ~wanted_by_another.exists(),
            )
            .order_by(File.position)
            .limit(limit)
        )
        return [seq for seq in await self._session.scalars(statement) if seq is not None]

    async def end_work(self, image_seqs: Sequence[int]) -> list[Image]:
        """End the work that locked images still want, also what somebody has leased; return them."""
        await self._session.execute(
            update(PendingWork)
            .where(PendingWork.image_seq.in_(image_seqs), PendingWork.priority == MISSING)
            .values(due_at=None, lease_token=None)
            .execution_options(synchronize_session=False)
        )
        return list(await self._session.scalars(select(Image).where(Image.seq.in_(image_seqs))))


def _known(batch: Batch | None, batch_id: UUID) -> Batch:
    if batch is None:
        raise NotFound(f"there is no batch {batch_id}")
    return batch
