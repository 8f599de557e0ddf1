"""Know which of the services behind the gateway are ready.

The gateway turns ready when all of them have been ready once; one that is lost later leaves it ready, for an upload
is still kept then, and is named as `degraded`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from gateway.clients import health_of
from shared.contracts import Health, ModelName
from shared.deadline import Deadline
from shared.errors import ServiceError
from shared.http_client import ServiceClient

log = logging.getLogger(__name__)

ASK_TIMEOUT_S = 2.0
PAUSE_UNTIL_READY_S = 0.5
PAUSE_ONCE_READY_S = 5.0


class Upstreams:
    """What is known of each service behind the gateway."""

    def __init__(self, services: Sequence[ServiceClient]) -> None:
        self._services = services
        self._seen: dict[str, Health] = {}
        self._absent = {service.name for service in services}

    async def watch(self) -> None:
        """Ask all services again and again, until cancelled."""
        while True:
            await asyncio.gather(*(self._ask(service) for service in self._services))
            await asyncio.sleep(PAUSE_UNTIL_READY_S if self._absent else PAUSE_ONCE_READY_S)

    def health(self, *, service: str, version: str) -> Health:
        """Return the gateway's own readiness."""
        return Health(
            status="ready" if len(self._seen) == len(self._services) else "starting",
            service=service,
            version=version,
            models=self._models(),
            degraded=sorted(self._absent),
        )

    def is_ready(self, service: str) -> bool:
        """Say whether a service was ready when it was last asked."""
        return service not in self._absent

    def last_health(self, service: str) -> Health | None:
        """Return what a service last said of itself, which may be gone since; None where it never has."""
        return self._seen.get(service)

    def _models(self) -> list[ModelName]:
        return [model for health in self._seen.values() for model in health.models]

    async def _ask(self, service: ServiceClient) -> None:
        try:
            self._seen[service.name] = await health_of(service, deadline=Deadline.after(ASK_TIMEOUT_S))
        except ServiceError as error:
            if service.name not in self._absent:
                log.warning("service_lost", extra={"upstream": service.name, "reason": error.detail})
            self._absent.add(service.name)
        else:
            if service.name in self._absent:
                log.info("service_ready", extra={"upstream": service.name})
            self._absent.discard(service.name)
