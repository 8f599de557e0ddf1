"""Refuse an upload that cannot be kept as soon as its head is read, before any of its body and before it is routed.

Under overload most are refused, and what that costs is missing to those that were let in: they are counted each, but
logged together.
"""

from __future__ import annotations

import logging
import math
import time
from types import SimpleNamespace

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.routes import PREFIX
from gateway.uploads import Uploads
from shared.deadline import DEADLINE_HEADER, Deadline
from shared.errors import Overloaded, ServiceError, error_response
from shared.telemetry import LOGGED

log = logging.getLogger(__name__)

TELL_EVERY_S = 1.0
_UPLOADS = frozenset({f"{PREFIX}/images", f"{PREFIX}/analyses"})


class UploadAdmission:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, *, uploads: Uploads, longest_deadline_s: float) -> None:
        self._app = app
        self._uploads = uploads
        self._longest_deadline_s = longest_deadline_s
        self._untold = 0
        self._told_at_s = -math.inf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it as `Uploads.require_room` says."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in _UPLOADS:
            asked = Headers(scope=scope).get(DEADLINE_HEADER)
            try:
                deadline = Deadline.from_header(asked, longest_s=self._longest_deadline_s)
                self._uploads.require_room(deadline=deadline)
            except ServiceError as error:
                scope["route"] = SimpleNamespace(path=scope["path"])  # as metrics name it; no router has seen it
                if isinstance(error, Overloaded):
                    scope[LOGGED] = None
                    self._tell(error.detail)
                await error_response(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _tell(self, reason: str) -> None:
        self._untold += 1
        now_s = time.monotonic()
        if now_s >= self._told_at_s + TELL_EVERY_S:
            log.warning("uploads_refused", extra={"uploads": self._untold, "reason": reason})
            self._untold, self._told_at_s = 0, now_s
