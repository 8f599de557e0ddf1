"""Take back everything that one model version said, some images at a time.

Each step is whole: words gone, what the row repeats of them computed again, the file under its label as it is now, and
what is missing asked for again. Cut off anywhere, the next call goes on, since what is done has no such words any more.
"""

from __future__ import annotations

import contextlib
import logging
from datetime import UTC, datetime

from shared.contracts import ModelName
from shared.deadline import Deadline
from shared.work_contracts import Undone
from storage_service import lineage
from storage_service.archive import Archive
from storage_service.database import Database
from storage_service.errors import ImageFileMissing
from storage_service.pending_work import KINDS, MISSING
from storage_service.steps import in_steps

log = logging.getLogger(__name__)

IMAGES_A_STEP = 100


class Undoing:
    """Undoes one model version's work."""

    def __init__(self, database: Database, archive: Archive) -> None:
        self._database = database
        self._archive = archive

    async def count(self, model: ModelName) -> Undone:
        """Return what `undo` would do."""
        async with self._database.reading() as images:
            found, words = await images.words_of(model).count()
        return Undone(dry_run=True, images=found, analyses=words, remaining=found)

    async def undo(self, model: ModelName, *, deadline: Deadline) -> Undone:
        """Take back as much as the deadline allows, at least one step."""
        total_images = total_words = 0

        async def step() -> bool:
            nonlocal total_images, total_words
            done = await self._archive.to_the_end(lambda: self._step(model), deadline=deadline)
            if done is None:
                return False
            total_images, total_words = total_images + done[0], total_words + done[1]
            return True

        at_end = await in_steps(step, deadline=deadline)
        remaining = 0 if at_end else (await self.count(model)).images
        fields = {"model": f"{model.name}@{model.version}", "images": total_images, "remaining": remaining}
        log.info("model_undone", extra=fields)
        return Undone(dry_run=False, images=total_images, analyses=total_words, remaining=remaining)

    async def _step(self, model: ModelName) -> tuple[int, int] | None:
        """Return how many images lost how many words, or None where none has any."""
        async with self._archive.refiling() as (images, refile):
            words = images.words_of(model)
            found = await words.some_images(limit=IMAGES_A_STEP)
            if not found:
                return None
            seqs = await images.work.locked(found)
            changed, removed = await words.remove_from(seqs)
            for image in changed:
                lineage.refresh(image)
                with contextlib.suppress(ImageFileMissing):  # it is logged, and keeps no other image from being undone
                    await refile(image)
            now = datetime.now(UTC)
            for kind in KINDS:
                wanting = [image.seq for image in changed if kind in lineage.missing_kinds(image)]
                await images.work.want(wanting, kind, priority=MISSING, now=now)
        return len(seqs), removed
