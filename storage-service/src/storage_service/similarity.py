"""Find the embeddings nearest to one: in the index what it has, one by one what was written since.

The database alone is the truth: whoever asks looks the keys up there, so that what was deleted is not found and a
distance is exact. The index is written by another process, `storage-index`: building takes much memory.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from shared.deadline import Deadline
from shared.errors import Overloaded
from shared.worker import BoundedWorker
from storage_service.database import Database
from storage_service.embeddings import PAGE_ROWS
from storage_service.vector_index import (
    MOST_GONE,
    DamagedIndex,
    Snapshot,
    manifest_stamp,
    open_snapshot,
    read_manifest,
)
from storage_service.vector_tail import Tail
from storage_service.vectors import Near, Vector

log = logging.getLogger(__name__)

TAIL_LIMIT_ROWS = 50_000
SEARCHED_AT_ONCE_ROWS = 1000
"""So few keep the event loop for a tenth of a millisecond, less than it takes to wake a thread."""
OVERLAP_ROWS = 1000
"""MySQL may commit a lower number after a higher one: so many are read again, and found to be known. SQLite has one
writer at a time."""
ENCODERS_AT_ONCE = 2
OPENING_TIMEOUT_S = 60.0
RETRY_AFTER_S = 30
RECOUNT_PAUSE_S = 60.0


class Similarity:
    """The vectors of the encoders that were asked for last, as far as they must be in memory."""

    def __init__(
        self,
        database: Database,
        worker: BoundedWorker,
        *,
        folder: Path,
        index_after_rows: int,
        fresh_s: float,
        wish: Callable[[], None],
    ) -> None:
        """Open nothing yet.

        Args:
            database: Has all vectors.
            worker: Searches.
            folder: Has the indexes, if there are any.
            index_after_rows: Where more rows than this are not in an index, `wish` is called.
            fresh_s: What others wrote is seen after so many seconds.
            wish: Asks for the indexes to be brought up to date, soon and elsewhere.
        """
        self._database = database
        self._worker = worker
        self._folder = folder
        self._index_after_rows = index_after_rows
        self._fresh_s = fresh_s
        self._overlap_rows = 0 if database.dialect == "sqlite" else OVERLAP_ROWS
        self._wish = wish
        self._encoders: OrderedDict[str, _Encoder] = OrderedDict()

    async def nearest(self, encoder: str, vector: Vector, count: int, *, deadline: Deadline) -> Near:
        """Return about the nearest embeddings; some may be gone from the database.

        Raises:
            Overloaded: the index is not built yet and there are too many vectors without it, or too many searches.
            DeadlineExceeded: not found in time.
        """
        known = self._encoders.setdefault(encoder, _Encoder(encoder))
        self._encoders.move_to_end(encoder)
        while len(self._encoders) > ENCODERS_AT_ONCE:
            self._encoders.popitem(last=False)
        async with asyncio.timeout(deadline.remaining_s()), known.lock:
            await self._catch_up(known)
        snapshot, tail = known.snapshot, known.tail
        if tail.is_full:
            raise Overloaded("the index of similar images is being built; try again later", retry_after_s=RETRY_AFTER_S)
        if snapshot is None and len(tail) <= SEARCHED_AT_ONCE_ROWS:
            return _search(snapshot, tail, vector, count)
        return await self._worker.run(lambda: _search(snapshot, tail, vector, count), deadline=deadline)

    def note(self, encoder: str, seq: int, vector: bytes) -> None:
        """Let the next search know of an embedding that has just been committed here."""
        if encoder in self._encoders:
            self._encoders[encoder].tail.add([(seq, vector)])

    async def recount(self, encoder: str) -> None:
        """Ask for a new index if much of this one has been deleted, as whoever found little suspects."""
        known = self._encoders.get(encoder)
        if known is None or known.snapshot is None or time.monotonic() < known.counted_until:
            return
        known.counted_until = time.monotonic() + RECOUNT_PAUSE_S
        async with self._database.reading() as images:
            rows = (await images.embeddings.encoders()).get(encoder, 0)
        if known.snapshot.manifest.rows - rows > MOST_GONE * known.snapshot.manifest.rows:
            self._wish()

    async def _catch_up(self, known: _Encoder) -> None:
        now = time.monotonic()
        if now < known.fresh_until:
            return
        deadline = Deadline.after(OPENING_TIMEOUT_S)
        stamp = await self._worker.run(lambda: manifest_stamp(self._folder, known.name), deadline=deadline)
        if stamp != known.stamp:
            known.snapshot = await self._opened(known.name, deadline)
            known.stamp = stamp
            known.tail = Tail(TAIL_LIMIT_ROWS)
            known.seen = 0
        await self._read_new_rows(known)
        known.fresh_until = time.monotonic() + self._fresh_s
        if len(known.tail) > self._index_after_rows + OVERLAP_ROWS:
            self._wish()

    async def _read_new_rows(self, known: _Encoder) -> None:
        through = known.snapshot.manifest.through if known.snapshot else 0
        after = max(through, known.seen - self._overlap_rows)
        while not known.tail.is_full:
            async with self._database.reading() as images:
                rows = await images.embeddings.page(known.name, after=after)
            known.tail.add(rows)
            if rows:
                after = rows[-1][0]
                known.seen = max(known.seen, after)
            if len(rows) < PAGE_ROWS:
                return

    async def _opened(self, encoder: str, deadline: Deadline) -> Snapshot | None:
        try:
            manifest = await self._worker.run(lambda: read_manifest(self._folder, encoder), deadline=deadline)
            if manifest is None:
                return None
            async with self._database.reading() as images:
                if not await images.embeddings.agree_with(manifest):
                    raise DamagedIndex("it was built from another database")
            snapshot = await self._worker.run(lambda: open_snapshot(self._folder, manifest), deadline=deadline)
        except DamagedIndex as error:
            log.warning("index_damaged", extra={"encoder": encoder, "reason": str(error)})
            self._wish()
            return None
        log.info("index_opened", extra={"encoder": encoder, "rows": manifest.rows})
        return snapshot


class _Encoder:
    """What is known of one encoder's vectors."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = asyncio.Lock()
        self.snapshot: Snapshot | None = None
        self.stamp: tuple[int, int] | None = None
        self.tail = Tail(TAIL_LIMIT_ROWS)
        self.seen = 0
        self.fresh_until = 0.0
        self.counted_until = 0.0


def _search(snapshot: Snapshot | None, tail: Tail, vector: Vector, count: int) -> Near:
    found = tail.search(vector, count)
    if snapshot is not None:
        found |= snapshot.search(vector, count)
    return dict(sorted(found.items(), key=lambda one: one[1]))
