"""How storage is doing: what is kept, what waits since when, and how fast models have been; in cheap questions.

Counts come from the labels' totals and from indexes; only the sum of all bytes reads every row, once a minute at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry, Gauge

from shared.deadline import Deadline
from shared.status_contracts import MINUTES, StorageStatus
from storage_service.database import Database
from storage_service.status_rows import StatusRows

BYTES_AGE_S = 60.0
_MINUTE = "%Y-%m-%d %H:%M"


class Status:
    """What is told at `/v1/status` and in `/metrics`."""

    def __init__(
        self,
        database: Database,
        registry: CollectorRegistry,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._now = now
        self._bytes: tuple[float, int] | None = None
        self._oldest: datetime | None = None
        self._images = Gauge("stored_images", "Images by status.", ["status"], registry=registry)
        age = Gauge("pending_oldest_seconds", "Age of the oldest pending image; 0 without one.", registry=registry)
        age.set_function(self._oldest_age_s)

    async def tell(self, *, deadline: Deadline) -> StorageStatus:
        """Ask the database."""
        now = self._now()
        since = (now - timedelta(minutes=MINUTES - 1)).replace(second=0, microsecond=0)
        known = self._bytes if self._bytes and time.monotonic() - self._bytes[0] < BYTES_AGE_S else None

        async def ask(rows: StatusRows) -> StorageStatus:
            described = await rows.described(since)
            minutes = [f"{since + timedelta(minutes=minute):{_MINUTE}}" for minute in range(MINUTES)]
            return StorageStatus(
                images=await rows.images(),
                stored_bytes=known[1] if known else await rows.stored_bytes(),
                pending=await rows.count("pending"),
                failed=await rows.count("failed"),
                oldest_pending_at=await rows.oldest_pending_at(),
                described_a_minute=[described.get(minute, 0) for minute in minutes],
            )

        told = await self._database.read(lambda images: ask(images.status), deadline=deadline)
        if known is None:
            self._bytes = (time.monotonic(), told.stored_bytes)
        self._note(told.images, told.pending, told.failed, told.oldest_pending_at)
        return told

    async def measure(self, *, deadline: Deadline) -> None:
        """Bring the metrics up to date, with what is cheap to ask."""

        async def ask(rows: StatusRows) -> tuple[int, int, int, datetime | None]:
            pending, failed = await rows.count("pending"), await rows.count("failed")
            return await rows.images(), pending, failed, await rows.oldest_pending_at()

        self._note(*await self._database.read(lambda images: ask(images.status), deadline=deadline))

    def _note(self, images: int, pending: int, failed: int, oldest: datetime | None) -> None:
        self._images.labels("complete").set(max(0, images - pending - failed))
        self._images.labels("pending").set(pending)
        self._images.labels("failed").set(failed)
        self._oldest = oldest

    def _oldest_age_s(self) -> float:
        return max(0.0, (self._now() - self._oldest).total_seconds()) if self._oldest else 0.0
