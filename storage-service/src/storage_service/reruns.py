"""Ask the present models to look at images again: of a label, found by words, chosen, or all.

The images keep the words they have, and stay `complete`; the new words are added when they come. A person's stay.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Select, select

from shared.deadline import Deadline
from shared.errors import BadRequest
from shared.work_contracts import Rerun, RerunRequest
from storage_service.database import Database
from storage_service.pending_work import RERUN
from storage_service.repeating import repeated
from storage_service.search import WordQuery
from storage_service.steps import in_steps
from storage_service.tables import Image

IMAGES_A_STEP = 500


class Reruns:
    """Marks images, some at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, request: RerunRequest) -> Rerun:
        """Return how many images `mark` would mark from the request's cursor on."""
        statement = _matching(request)
        images = 0
        if statement is not None:
            async with self._database.reading() as repository:
                images = await repository.count(statement.where(Image.seq > _after(request)))
        return Rerun(dry_run=True, images=images, next_cursor=None)

    async def mark(self, request: RerunRequest, *, deadline: Deadline) -> Rerun:
        """Mark as many images as the deadline allows, in the order of their upload."""
        statement = _matching(request)
        if statement is None:
            return Rerun(dry_run=False, images=0, next_cursor=None)
        after, marked = _after(request), 0

        async def step() -> bool:
            nonlocal after, marked
            behind = statement.where(Image.seq > after).order_by(Image.seq).limit(IMAGES_A_STEP)
            last, count = await repeated(lambda: self._mark(request, behind), deadline=deadline)
            after, marked = last or after, marked + count
            return last is not None

        at_end = await in_steps(step, deadline=deadline)
        return Rerun(dry_run=False, images=marked, next_cursor=None if at_end else str(after))

    async def _mark(self, request: RerunRequest, statement: Select[Image]) -> tuple[int | None, int]:
        """Return the last image found, if any was, and how many were marked."""
        now = datetime.now(UTC)
        async with self._database.writing() as images:
            found = await images.seqs(statement)
            seqs = await images.work.locked(found)
            for kind in set(request.kinds):
                await images.work.want(seqs, kind, priority=RERUN, now=now)
            await images.work.retry(seqs, now=now)
        return max(found, default=None), len(seqs)


def _matching(request: RerunRequest) -> Select[Image] | None:
    """Return a statement on the images asked for, or None where no image can be meant."""
    statement = select(Image)
    if request.label is not None:
        statement = statement.where(Image.label == request.label)
    if request.ids:
        statement = statement.where(Image.id.in_(request.ids))
    if request.q.strip():
        words = WordQuery(request.q)
        if words.is_empty:
            return None
        statement = words.narrow(statement)
    return statement


def _after(request: RerunRequest) -> int:
    if request.cursor is None:
        return 0
    if not (request.cursor.isascii() and request.cursor.isdigit() and len(request.cursor) < 19):
        raise BadRequest(f"{request.cursor!r} is not a cursor that a re-run has answered with")
    return int(request.cursor)
