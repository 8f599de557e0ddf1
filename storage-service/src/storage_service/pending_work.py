"""Which captions and labels images still want from models, and who has taken which of them for a while.

The oldest goes first, images without a word before those that shall get another. A row's `due_at` is all there is to
waiting: taken, put off or given up, it is not due. Nobody can take what somebody has: MySQL skips locked rows, SQLite
lets only one transaction write. Whoever changes rows of an image other than by taking them has locked the image before.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection, case, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts import Kind
from shared.work_contracts import Lease, WorkCount, WorkFailure
from storage_service import lineage
from storage_service.new_rows import NewRow
from storage_service.tables import Image, PendingWork

MISSING, RERUN = 0, 1
KINDS: tuple[Kind, ...] = ("caption", "label")

MOST_REFUSALS = 3
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


def want_all_missing(connection: Connection, images: Sequence[NewRow]) -> None:
    """Ask for the words that new images do not have."""
    rows = [
        {"image_seq": image.seq, "kind": kind, "priority": MISSING, "due_at": image.created_at}
        for image in images
        for kind in lineage.missing_kinds(image)
    ]
    if rows:
        connection.execute(insert(PendingWork), rows)


class WorkQueue:
    """The work of one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def want(self, image_seqs: Sequence[int], kind: Kind, *, priority: int, now: datetime) -> None:
        """Ask for a word for each image; what is asked for already keeps its place."""
        waiting = select(PendingWork.image_seq).where(PendingWork.image_seq.in_(image_seqs), PendingWork.kind == kind)
        known = set(await self._session.scalars(waiting))
        self._session.add_all(
            PendingWork(image_seq=seq, kind=kind, priority=priority, due_at=now)
            for seq in image_seqs
            if seq not in known
        )
        await self._session.flush()

    async def want_missing(self, image: Image | NewRow, *, now: datetime) -> None:
        """Ask for the words that an image does not have."""
        for kind in lineage.missing_kinds(image):
            await self.want([image.seq], kind, priority=MISSING, now=now)

    async def lease(self, kind: Kind, *, limit: int, now: datetime, until: datetime) -> list[Lease]:
        """Take due work, at most `limit`, so that nobody else gets it before `until`."""
        taken: list[PendingWork] = []
        for priority in (MISSING, RERUN):
            if len(taken) < limit:
                taken += await self._due(kind, priority, limit=limit - len(taken), now=now)
        for work in taken:
            work.lease_token, work.due_at = uuid4(), until
        ids = await self._ids([work.image_seq for work in taken])
        return [
            Lease(image_id=ids[work.image_seq], kind=kind, token=work.lease_token) for work in taken if work.lease_token
        ]

    async def has_due(self, kind: Kind, *, now: datetime) -> bool:
        """Say whether there is anything to take; locks nothing."""
        due = select(PendingWork.image_seq).where(
            PendingWork.kind == kind, PendingWork.priority.in_((MISSING, RERUN)), PendingWork.due_at <= now
        )
        return await self._session.scalar(due.limit(1)) is not None

    async def image_leased(self, token: UUID) -> UUID | None:
        """Return the id of the image whose work was taken under a token; locks nothing."""
        statement = select(Image.id).join(PendingWork, PendingWork.image_seq == Image.seq)
        image_id: UUID | None = await self._session.scalar(statement.where(PendingWork.lease_token == token))
        return image_id

    async def leased(self, token: UUID, *, now: datetime) -> PendingWork | None:
        """Return the work that was taken under a token, or None when it has been lost since."""
        work: PendingWork | None = await self._session.scalar(
            select(PendingWork).where(PendingWork.lease_token == token).with_for_update()
        )
        return work if work and work.due_at and work.due_at > now else None

    async def done(self, work: PendingWork) -> None:
        """Forget work that has its word."""
        await self._session.delete(work)

    async def settle(self, image: Image, kinds: Sequence[Kind]) -> None:
        """Forget what was missing or given up, since a person has said it; a re-run goes on."""
        await self._session.execute(
            delete(PendingWork).where(
                PendingWork.image_seq == image.seq,
                PendingWork.kind.in_(kinds),
                or_(PendingWork.priority == MISSING, PendingWork.due_at.is_(None)),
            )
        )
        given_up = select(PendingWork.image_seq).where(PendingWork.image_seq == image.seq, PendingWork.due_at.is_(None))
        if image.failure and await self._session.scalar(given_up.limit(1)) is None:
            image.failure = None

    async def retry(self, image_seqs: Sequence[int], *, now: datetime) -> None:
        """Make what was put off or given up due again, as if it had never failed."""
        is_put_off = or_(PendingWork.due_at.is_(None), PendingWork.due_at > now)
        await self._session.execute(
            update(PendingWork)
            .where(PendingWork.image_seq.in_(image_seqs), PendingWork.lease_token.is_(None), is_put_off)
            .values(due_at=now, attempts=0, refusals=0)
            .execution_options(synchronize_session=False)
        )
        # Through the session, so that what finds the images follows.
        given_up = select(Image).where(Image.seq.in_(image_seqs), Image.failure.is_not(None))
        for image in await self._session.scalars(given_up):
            image.failure = None
            lineage.refresh(image)
        await self._session.flush()

    async def given_up(self, *, limit: int) -> list[int]:
        """Return images whose work was given up; locks nothing."""
        given_up = select(PendingWork.image_seq).where(PendingWork.due_at.is_(None)).distinct()
        return list(await self._session.scalars(given_up.order_by(PendingWork.image_seq).limit(limit)))

    async def locked(self, image_seqs: Sequence[int]) -> list[int]:
        """Return those of the images that are still there, locked until the transaction ends."""
        statement = select(Image.seq).where(Image.seq.in_(image_seqs)).order_by(Image.seq).with_for_update()
        return list(await self._session.scalars(statement))

    async def counts(self) -> list[WorkCount]:
        """Return how much is wanted of each kind."""
        is_failed = case((PendingWork.due_at.is_(None), 1), else_=0)
        statement = select(PendingWork.kind, PendingWork.priority, is_failed, func.count())
        found: dict[tuple[str, int, int], int] = {}
        grouped = statement.group_by(PendingWork.kind, PendingWork.priority, is_failed)
        for kind, priority, failed, count in await self._session.execute(grouped):
            found[kind, priority, failed] = count
        return [
            WorkCount(
                kind=kind,
                missing=found.get((kind, MISSING, 0), 0),
                rerun=found.get((kind, RERUN, 0), 0),
                failed=found.get((kind, MISSING, 1), 0) + found.get((kind, RERUN, 1), 0),
            )
            for kind in KINDS
        ]

    async def count_given_up(self) -> int:
        """Return of how many images work was given up."""
        count = select(func.count(PendingWork.image_seq.distinct())).where(PendingWork.due_at.is_(None))
        return await self._session.scalar(count) or 0

    async def _due(self, kind: Kind, priority: int, *, limit: int, now: datetime) -> Sequence[PendingWork]:
        # Without the hint MySQL may sort a small table, and would lock every row that it sorts.
        statement = (
            select(PendingWork)
            .with_hint(PendingWork, "FORCE INDEX (pending_work_next)", "mysql")
            .where(PendingWork.kind == kind, PendingWork.priority == priority, PendingWork.due_at <= now)
            .order_by(PendingWork.due_at, PendingWork.image_seq)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return list(await self._session.scalars(statement))

    async def _ids(self, image_seqs: Sequence[int]) -> dict[int, UUID]:
        rows = await self._session.execute(select(Image.seq, Image.id).where(Image.seq.in_(image_seqs)))
        return dict(rows.all())


def put_off(work: PendingWork, failure: WorkFailure, *, now: datetime) -> bool:
    """Note that work came to nothing; return whether it is given up, else it is due again after a growing pause."""
    work.lease_token = None
    work.attempts += 1
    work.refusals += failure.is_of_image
    if work.refusals >= MOST_REFUSALS:
        work.due_at = None
        return True
    work.due_at = now + pause(work.attempts)
    return False


def pause(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts: doubled each time, and by chance up to half shorter."""
    longest_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(attempts - 1, 30))
    return timedelta(seconds=longest_s * random.uniform(0.5, 1))  # noqa: S311  # only spreads the load
