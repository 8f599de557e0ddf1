"""Tell storage what comes of a batch while it is received: a few files at a time, and at least that it still comes.

Storage that is away for a moment is waited for. Storage that stays away ends the batch: what cannot be noted must not
be taken.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar
from uuid import UUID

from gateway.batch_client import Batches
from shared.deadline import Deadline
from shared.errors import DeadlineExceeded, Overloaded, ServiceError, UpstreamFailed
from shared.upload_batches import MOST_NOTES, BatchNews, Ending, NewBatch, NotedFile, UploadBatch

log = logging.getLogger(__name__)

RECEIVING_S = 15.0
"""Without news for so long the batch is interrupted."""
NEWS_PAUSE_S = 0.5
HEARTBEAT_S = 3.0
STORAGE_TIMEOUT_S = 5.0
PATIENCE_S = 60.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
BUSY_OR_AWAY = (Overloaded, UpstreamFailed, DeadlineExceeded)

Result = TypeVar("Result")


class BatchCancelled(ServiceError):
    """The batch was cancelled while its files were still being sent."""

    code = "batch_cancelled"
    title = "Batch cancelled"
    status = 409


class BatchAccount:
    """What is said of one batch."""

    def __init__(self, batches: Batches, batch: UploadBatch) -> None:
        self._batches = batches
        self.batch = batch
        self._waiting: list[NotedFile] = []
        self._positions = 0
        self._turn = asyncio.Lock()
        self._last_news_s = asyncio.get_running_loop().time()

    @classmethod
    async def begin(cls, batches: Batches, batch_id: UUID | None) -> BatchAccount:
        """Begin a batch; raises as storage does."""
        new = NewBatch(id=batch_id, receiving_s=RECEIVING_S)
        return cls(batches, await batches.begin(new, deadline=Deadline.after(STORAGE_TIMEOUT_S)))

    async def add(self, file: NotedFile) -> None:
        """Note a file, soon; its position is set here. Where many wait already, now."""
        self._positions += 1
        self._waiting.append(file.model_copy(update={"position": self._positions}))
        if len(self._waiting) >= MOST_NOTES:
            await self.send()

    async def keep_telling(self) -> None:
        """Send news again and again, until cancelled."""
        while True:
            await asyncio.sleep(NEWS_PAUSE_S)
            is_due = asyncio.get_running_loop().time() - self._last_news_s >= HEARTBEAT_S
            if self._waiting or is_due:
                await self.send()

    async def send(self, ending: Ending | None = None, reason: str | None = None) -> UploadBatch:
        """Tell all that waits.

        Raises:
            BatchCancelled: somebody has cancelled the batch; what waited has been noted.
        """
        async with self._turn:
            while True:
                files = self._waiting[:MOST_NOTES]
                is_last = len(files) == len(self._waiting)
                news = BatchNews(
                    files=files,
                    receiving_s=RECEIVING_S,
                    ending=ending if is_last else None,
                    reason=reason if is_last else None,
                )
                self.batch = await patiently(partial(self._note, news))
                del self._waiting[: len(files)]
                self._last_news_s = asyncio.get_running_loop().time()
                if is_last:
                    break
        if self.batch.state == "cancelled":
            raise BatchCancelled("the batch was cancelled; what had come by then is kept")
        return self.batch

    async def _note(self, news: BatchNews, deadline: Deadline) -> UploadBatch:
        return await self._batches.note(self.batch.id, news, deadline=deadline)


async def patiently(ask: Callable[[Deadline], Awaitable[Result]], *, timeout_s: float = STORAGE_TIMEOUT_S) -> Result:
    """Ask again, after growing pauses, while whoever is asked is busy or away, for `PATIENCE_S` in all.

    Only for what may be done twice. Raises as `ask` does.
    """
    give_up = Deadline.after(PATIENCE_S)
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            return await ask(Deadline.after(timeout_s))
        except BUSY_OR_AWAY as error:
            if give_up.at_s - asyncio.get_running_loop().time() < pause_s:
                raise
            log.warning("batch_waits", extra={"reason": error.detail})
        await asyncio.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311  # only keeps those apart who wait
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
