"""Call a service behind the gateway so that its failures stay its own: with a breaker, and again where it is safe."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import httpx

from gateway.breakers import Breaker
from gateway.retrying import Retrying
from shared.deadline import Deadline
from shared.http_client import ServiceClient

REPEATABLE = frozenset(
    {
        ("POST", "/v1/captions"),
        ("POST", "/v1/classifications"),
        ("POST", "/v1/images"),
        ("POST", "/v1/idempotency-keys"),
    }
)
"""Calls that change nothing, or, made twice, no more than once: storage files the same bytes once."""
_ALWAYS = ("GET", "PUT")


class GuardedClient(ServiceClient):
    """A service, its breaker, and its retries."""

    def __init__(self, name: str, http: httpx.AsyncClient, *, breaker: Breaker, retrying: Retrying) -> None:
        super().__init__(name, http)
        self._breaker = breaker
        self._retrying = retrying

    async def send(self, method: str, path: str, *, deadline: Deadline, **request: Any) -> httpx.Response:
        """Send one request as `ServiceClient.send` does.

        Raises:
            CircuitOpen: it was not sent, for the service has failed again and again.
        """

        async def once() -> httpx.Response:
            return await super(GuardedClient, self).send(method, path, deadline=deadline, **request)

        with self._breaker.guarding(given_s=deadline.remaining_s()):
            if method in _ALWAYS or (method, path) in REPEATABLE:
                return await self._retrying.call(once, deadline=deadline)
            return await once()

    async def stream(self, method: str, path: str, *, step_timeout_s: float, **request: Any) -> AsyncGenerator[bytes]:
        """Send one request as `ServiceClient.stream` does; how it ends says nothing to the breaker.

        Raises:
            CircuitOpen: it was not sent, for the service has failed again and again.
        """
        self._breaker.require_admitting()
        async with aclosing(super().stream(method, path, step_timeout_s=step_timeout_s, **request)) as pieces:
            async for piece in pieces:
                yield piece
