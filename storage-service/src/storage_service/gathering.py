"""Store uploads that arrive while others are being stored together, in one transaction.

One by itself is stored at once. Under load a transaction for each would take many times as long as one for all.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from shared.contracts import ImageRecord
from shared.deadline import Deadline
from shared.errors import DeadlineExceeded
from storage_service.batch_storing import BatchStoring
from storage_service.errors import HashMismatch
from storage_service.tables import Embedding
from storage_service.uploads import Upload

log = logging.getLogger(__name__)

MOST_TOGETHER = 32
RUNS_AT_ONCE = 2
"""While the files of one are synced, the rows of the other are written."""
STORED_AT_ONCE = MOST_TOGETHER * RUNS_AT_ONCE


@dataclass(eq=False)
class _Waiting:
    upload: Upload
    deadline: Deadline
    outcome: asyncio.Future[tuple[ImageRecord, bool, Embedding | None]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Gathering:
    """Stores single uploads, as many at a time as have come."""

    def __init__(self, batches: BatchStoring) -> None:
        self._batches = batches
        self._waiting: list[_Waiting] = []
        self._runs: set[asyncio.Task[None]] = set()

    async def add(self, upload: Upload, *, deadline: Deadline) -> tuple[ImageRecord, bool, Embedding | None]:
        """File an image; the upload is closed when that is done.

        Returns:
            Its record, whether it is new, and if so its embedding, if it came with one.

        Raises:
            HashMismatch: the original is not what its record says.
            StorageUnavailable: nothing was kept, or nobody knows.
            DeadlineExceeded: it goes on.
        """
        remaining_s = deadline.remaining_s()
        one = _Waiting(upload, deadline)
        one.outcome.add_done_callback(lambda done: done.cancelled() or done.exception())  # if nobody waits any more
        self._waiting.append(one)
        self._begin()
        try:
            async with asyncio.timeout(remaining_s):
                record, is_new, embedding = await asyncio.shield(one.outcome)
        except TimeoutError as error:
            told = "the image was not stored in time" if one in self._waiting else "the change goes on"
            raise DeadlineExceeded(told) from error
        finally:
            if one in self._waiting:  # nobody waits for it any more, and it is not begun
                self._waiting.remove(one)
                upload.close()
        if is_new:
            stored = {"image_id": record.id, "label": record.label.value, "status": record.status}
            log.info("image_stored", extra=stored)
        return record, is_new, embedding

    def _begin(self) -> None:
        while self._waiting and len(self._runs) < RUNS_AT_ONCE:
            together, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
            run = asyncio.create_task(self._run(together))
            self._runs.add(run)
            run.add_done_callback(self._end)

    def _end(self, run: asyncio.Task[None]) -> None:
        self._runs.discard(run)
        self._begin()

    async def _run(self, together: list[_Waiting]) -> None:
        try:
            latest = max((one.deadline for one in together), key=lambda deadline: deadline.at_s)
            filed = await self._batches.add([one.upload for one in together], deadline=latest)
        except Exception as error:  # each of those that wait hears of it  # noqa: BLE001
            for one in together:
                one.outcome.set_exception(error)
            return
        for one, item in zip(together, filed.told.items, strict=True):
            if item.image is None:
                detail = item.refusal.detail if item.refusal else ""
                one.outcome.set_exception(HashMismatch(detail))
            else:
                is_new = item.outcome == "stored"
                embedding = filed.embeddings.get(item.image.id) if is_new else None
                one.outcome.set_result((item.image, is_new, embedding))
