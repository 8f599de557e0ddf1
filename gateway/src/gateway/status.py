"""How the platform is doing, in one answer: which services are ready, what they serve, what waits, and at which pace.

It is asked again at most every two seconds, however many ask here: a page that is left open costs next to nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from fastapi import APIRouter

from gateway.scopes import API
from gateway.upstreams import Upstreams
from shared.contracts import Health
from shared.deadline import Deadline
from shared.errors import ServiceError
from shared.http_client import ServiceClient
from shared.status_contracts import PlatformStatus, ServedModel, ServiceStatus, StorageStatus

ASK_TIMEOUT_S = 3.0
FRESH_S = 2.0


class StatusTeller:
    """Asks the services and remembers the answer for a moment."""

    def __init__(
        self,
        upstreams: Upstreams,
        own: Callable[[], Health],
        *,
        models: Sequence[ServiceClient],
        storage: ServiceClient,
    ) -> None:
        self._upstreams = upstreams
        self._own = own
        self._models = models
        self._storage = storage
        self._asking = asyncio.Lock()
        self._told: tuple[float, PlatformStatus] | None = None

    async def tell(self) -> PlatformStatus:
        """Return the status, at most FRESH_S old; a service that does not answer is told as such."""
        async with self._asking:
            if self._told is None or time.monotonic() - self._told[0] > FRESH_S:
                self._told = (time.monotonic(), await self._ask())
            return self._told[1]

    async def _ask(self) -> PlatformStatus:
        deadline = Deadline.after(ASK_TIMEOUT_S)
        asking_storage = asyncio.create_task(self._storage_status(deadline))
        models = await asyncio.gather(*(self._served(service, deadline) for service in self._models))
        storage = await asking_storage
        now = datetime.now(UTC)
        own = self._own()
        oldest = storage.oldest_pending_at if storage else None
        return PlatformStatus(
            asked_at=now,
            services=[
                ServiceStatus(name=own.service, is_ready=own.status == "ready", version=own.version, models=[]),
                *(self._service(each, served) for each, served in zip(self._models, models, strict=True)),
                self._service(self._storage, []),
            ],
            storage=storage,
            oldest_pending_s=max(0.0, (now - oldest).total_seconds()) if oldest else None,
        )

    def _service(self, service: ServiceClient, models: list[ServedModel]) -> ServiceStatus:
        seen = self._upstreams.last_health(service.name)
        is_ready = self._upstreams.is_ready(service.name)
        return ServiceStatus(
            name=service.name, is_ready=is_ready, version=seen.version if seen else None, models=models
        )

    async def _storage_status(self, deadline: Deadline) -> StorageStatus | None:
        try:
            return await self._storage.call(StorageStatus, "GET", "/v1/status", deadline=deadline)
        except ServiceError:
            return None

    async def _served(self, service: ServiceClient, deadline: Deadline) -> list[ServedModel]:
        try:
            return [await service.call(ServedModel, "GET", "/v1/model", deadline=deadline)]
        except ServiceError:
            return []


def status_routes(teller: StatusTeller) -> APIRouter:
    """Return the route."""
    router = APIRouter(prefix=f"{API}v1", tags=["status"])

    @router.get("/status")
    async def status() -> PlatformStatus:
        """Tell how the platform is doing: services, models and what was measured of them, backlog, pace, storage."""
        return await teller.tell()

    return router
