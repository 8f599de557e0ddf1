"""Know at any moment whether the database answers and the store can be written to, without asking each time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from shared.contracts import Health
from shared.deadline import Deadline
from shared.errors import ServiceError
from storage_service.database import Database
from storage_service.image_store import ImageStore
from storage_service.status import Status

CHECK_PERIOD_S = 5.0
CHECK_TIMEOUT_S = 5.0


class Readiness:
    """What the last check has found; `starting` before the first."""

    def __init__(self, service: str, version: str) -> None:
        self._health = Health(status="starting", service=service, version=version)

    def health(self) -> Health:
        """Return what the last check has found."""
        return self._health

    async def watch(self, database: Database, store: ImageStore, status: Status) -> None:
        """Check again and again, and bring the metrics up to date, until cancelled."""
        while True:
            await self.check(database, store)
            await _works(status.measure(deadline=Deadline.after(CHECK_TIMEOUT_S)))
            await asyncio.sleep(CHECK_PERIOD_S)

    async def check(self, database: Database, store: ImageStore) -> None:
        """Check once."""
        failing = []
        if not await _works(database.ping()):
            failing.append("database")
        if not await _works(asyncio.to_thread(store.check)):
            failing.append("store")
        self._health = self._health.model_copy(
            update={"status": "starting" if failing else "ready", "degraded": failing}
        )


async def _works(check: Awaitable[None]) -> bool:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await check
    except (ServiceError, TimeoutError):
        return False
    return True
