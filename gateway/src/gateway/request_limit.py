"""Refuse requests beyond what is worked on at once, before anything of them is read.

What is in progress waits for other services, which is cheap for each and not for thousands. Streams are left out: they
last for hours, and have bounds of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import Overloaded, error_response
from shared.waiting import WaitEstimate

_LIMITED = "/api/"
_STREAMS = ("/export", "/events")


class RequestLimit:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, *, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._at_once = at_once
        self._clock = clock
        self._present = 0
        self._estimate = WaitEstimate(at_once=at_once)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 503."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(_LIMITED) or path.endswith(_STREAMS):
            await self._app(scope, receive, send)
            return
        if self._present >= self._at_once:
            error = Overloaded(
                f"{self._present} requests are in progress already; try again shortly",
                retry_after_s=self._estimate.retry_after_s(self._present),
            )
            await error_response(error)(scope, receive, send)
            return
        self._present += 1
        started = self._clock()
        try:
            await self._app(scope, receive, send)
        finally:
            self._present -= 1
            self._estimate.note(self._clock() - started)
