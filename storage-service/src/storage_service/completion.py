"""Hand out what images still want from models, and take what comes of it: once, from whoever has the work then."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.contracts import ImageRecord
from shared.deadline import Deadline
from shared.errors import BadRequest
from shared.work_contracts import LeaseRequest, Leases, Retried, WorkFailure, WorkOutcome
from storage_service import lineage
from storage_service.archive import Archive
from storage_service.database import Database
from storage_service.errors import ImageFileMissing, LeaseLost
from storage_service.pending_work import put_off
from storage_service.repeating import repeated
from storage_service.steps import in_steps
from storage_service.tables import Analysis, Image, PendingWork

log = logging.getLogger(__name__)

IMAGES_A_STEP = 500


def _now() -> datetime:
    return datetime.now(UTC)


class Completion:
    """Leases work, ends leases, and tries again what was given up."""

    def __init__(self, database: Database, archive: Archive, *, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._archive = archive
        self._clock = clock

    async def lease(self, request: LeaseRequest) -> Leases:
        """Hand out due work that nobody else has."""
        now = self._clock()
        async with self._database.reading() as images:
            if not await images.work.has_due(request.kind, now=now):
                return Leases(items=[])  # most often; and on SQLite whoever writes makes all others wait
        async with self._database.writing() as images:
            until = now + timedelta(seconds=request.lease_s)
            return Leases(items=await images.work.lease(request.kind, limit=request.limit, now=now, until=until))

    async def finish(self, token: UUID, outcome: WorkOutcome, *, deadline: Deadline) -> ImageRecord:
        """Add a model's word, or note why there is none.

        Raises:
            LeaseLost: somebody else has the work, or nobody any more.
            BadRequest: the word is of another kind than what was leased.
        """
        return await self._archive.to_the_end(lambda: self._finish(token, outcome), deadline=deadline)

    async def retry(self, image_id: UUID) -> ImageRecord:
        """Try at once again what an image wants; raise NotFound."""
        async with self._database.writing() as images:
            image = await images.get_locked(image_id)
            image.failure = None
            lineage.refresh(image)
            await images.work.want_missing(image, now=self._clock())
            await images.work.retry([image.seq], now=self._clock())
        log.info("image_retried", extra={"image_id": image_id})
        return lineage.record_of(image)

    async def retry_all(self, *, deadline: Deadline) -> Retried:
        """Try again all that was given up, as much as the deadline allows."""
        retried = 0

        async def step() -> bool:
            nonlocal retried
            async with self._database.writing() as images:
                found = await images.work.given_up(limit=IMAGES_A_STEP)
                locked = await images.work.locked(found)
                await images.work.retry(locked, now=self._clock())
            retried += len(locked)
            return bool(found)

        at_end = await in_steps(lambda: repeated(step, deadline=deadline), deadline=deadline)
        async with self._database.reading() as images:
            remaining = 0 if at_end else await images.work.count_given_up()
        return Retried(images=retried, remaining=remaining)

    async def _finish(self, token: UUID, outcome: WorkOutcome) -> ImageRecord:
        async with self._archive.refiling() as (images, refile):
            image_id = await images.work.image_leased(token)
            image = await images.find_locked(image_id) if image_id else None
            work = await images.work.leased(token, now=self._clock()) if image else None
            if image is None or work is None:
                raise LeaseLost("this work was leased to somebody else since, is done, or its image was deleted")
            if outcome.failure:
                self._fail(image, work, outcome.failure)
            else:
                image.analyses.append(_word(work, outcome))
                await images.embeddings.note(image, outcome.caption)
                await images.work.done(work)
            lineage.refresh(image)
            with contextlib.suppress(ImageFileMissing):  # it is logged, and the word is worth keeping all the same
                await refile(image)
        fields = {"image_id": image.id, "kind": work.kind, "status": image.status, "label": image.label}
        log.info("work_put_off" if outcome.failure else "work_done", extra=fields)
        return lineage.record_of(image)

    def _fail(self, image: Image, work: PendingWork, failure: WorkFailure) -> None:
        if put_off(work, failure, now=self._clock()):
            earlier = [image.failure] if image.failure else []
            image.failure = "; ".join([*earlier, f"no {work.kind}: {failure.reason}"])


def _word(work: PendingWork, outcome: WorkOutcome) -> Analysis:
    if work.kind == "caption" and outcome.caption:
        return lineage.captioned(outcome.caption)
    if work.kind == "label" and outcome.classification:
        return lineage.classified(outcome.classification)
    raise BadRequest(f"the work under this token wants a {work.kind}")
