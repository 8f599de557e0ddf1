"""Tell live how far a batch is, as server-sent events: the counts as `progress`, each refused file as `refused`.

An event's id says which state and which refused file were told last, so that whoever comes back with `Last-Event-ID`
misses nothing and is told nothing twice, by any gateway. A stream ends when the batch is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from shared.deadline import Deadline
from shared.errors import ForwardedProblem, Overloaded, ServiceError
from shared.upload_batches import BatchFiles, FileStatus, LinkedBatch, UploadBatch

log = logging.getLogger(__name__)

POLL_S = 1.0
HEARTBEAT_S = 15.0
RETRY_MS = 2000
STORAGE_TIMEOUT_S = 5.0
FILES_A_PAGE = 200
_ID = re.compile(r"(\d{1,15})-([a-z]{1,15})-(\d{1,9})")


class WatchedBatches(Protocol):
    """Whoever knows how far batches are."""

    async def get(self, batch_id: UUID, *, deadline: Deadline) -> UploadBatch:
        """Return how far a batch has come."""

    async def files(
        self, batch_id: UUID, *, status: FileStatus | None, limit: int, cursor: str | None, deadline: Deadline
    ) -> BatchFiles:
        """Return files of a batch, in the order in which they were noted."""


@dataclass(frozen=True)
class Told:
    """What a client has been told."""

    changes: int = -1
    state: str = "none"
    refused: int = 0
    """Position of the last refused file."""

    @classmethod
    def read(cls, event_id: str | None) -> Told:
        """Read `Last-Event-ID`; one that is not ours counts as none."""
        found = _ID.fullmatch(event_id or "")
        return cls(int(found[1]), found[2], int(found[3])) if found else cls()

    def __str__(self) -> str:
        return f"{max(self.changes, 0)}-{self.state}-{self.refused}"

    def is_all_of(self, batch: UploadBatch) -> bool:
        """Say whether nothing has changed since."""
        return (self.changes, self.state) == (batch.changes, batch.state)


class BatchEvents:
    """Streams of events, a bounded number at once."""

    def __init__(
        self,
        batches: WatchedBatches,
        *,
        at_once: int,
        linked: Callable[[UploadBatch], LinkedBatch],
        poll_s: float = POLL_S,
    ) -> None:
        self._batches = batches
        self._at_once = at_once
        self._linked = linked
        self._poll_s = poll_s
        self._open = 0

    async def stream(self, batch: UploadBatch, told: Told) -> AsyncGenerator[bytes]:
        """Yield events of a batch from what has been told on.

        Raises:
            Overloaded: too many streams are open; nothing has been yielded then.
        """
        with self._admitted():
            yield format_sse_event(retry=RETRY_MS)
            is_first, last, silent_s = True, "", 0.0
            while True:
                refused = await self._refused_since(batch, told)
                for file in refused.items if refused else []:
                    told = replace(told, refused=file.position)
                    yield format_sse_event(data_str=file.model_dump_json(), event="refused", id=str(told))
                if refused and refused.next_cursor:
                    continue
                said = self._linked(batch.model_copy(update={"refused": []})).model_dump_json()
                if refused and said != last and not (is_first and told.is_all_of(batch)):
                    told = replace(told, changes=batch.changes, state=batch.state)
                    yield format_sse_event(data_str=said, event="progress", id=str(told))
                    silent_s = 0.0
                if refused:
                    is_first, last = False, said
                    if batch.is_done:
                        return
                await asyncio.sleep(self._poll_s)
                silent_s += self._poll_s
                if silent_s >= HEARTBEAT_S:
                    yield KEEPALIVE_COMMENT
                    silent_s = 0.0
                found = await self._look(batch)
                if found is None:
                    return
                batch = found

    async def _refused_since(self, batch: UploadBatch, told: Told) -> BatchFiles | None:
        """Return the next refused files that have not been told; None where storage does not say."""
        if told.is_all_of(batch) or not batch.counts.refused:
            return BatchFiles(items=[], next_cursor=None)
        try:
            return await self._batches.files(
                batch.id,
                status="refused",
                limit=FILES_A_PAGE,
                cursor=str(told.refused),
                deadline=Deadline.after(STORAGE_TIMEOUT_S),
            )
        except ServiceError as error:
            log.warning("batch_not_seen", extra={"batch_id": batch.id, "reason": error.detail})
            return None

    async def _look(self, batch: UploadBatch) -> UploadBatch | None:
        """Return the batch as it is now, or as it was where storage does not say; None where it is gone."""
        try:
            return await self._batches.get(batch.id, deadline=Deadline.after(STORAGE_TIMEOUT_S))
        except ForwardedProblem:
            return None
        except ServiceError as error:
            log.warning("batch_not_seen", extra={"batch_id": batch.id, "reason": error.detail})
            return batch

    @contextlib.contextmanager
    def _admitted(self) -> Iterator[None]:
        if self._open >= self._at_once:
            raise Overloaded(f"{self._open} streams of events are open already; ask for the batch itself instead")
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
