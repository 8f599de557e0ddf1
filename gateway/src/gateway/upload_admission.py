"""Refuse an upload that cannot be kept as soon as its head is read, before any of its body and before it is routed.

Under overload most are refused, and what that costs is missing to those that were let in: they are counted each, but
logged together.
"""

from __future__ import annotations

import functools
import logging
import math
import time
from collections.abc import Sequence
from types import SimpleNamespace

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.routes import PREFIX
from gateway.security_headers import OF_ALL
from gateway.uploads import Uploads
from shared.deadline import DEADLINE_HEADER, Deadline
from shared.draining import Draining
from shared.errors import PROBLEM_MEDIA_TYPE, Overloaded, Problem, ServiceError, error_response
from shared.http_protocol import Refusal, header_lines
from shared.telemetry import LOGGED, REQUEST_ID_HEADER, RequestMetrics, safe_request_id

log = logging.getLogger(__name__)

TELL_EVERY_S = 1.0
_BEGUN = "legenda.upload_begun"
_DEADLINE, _REQUEST_ID = DEADLINE_HEADER.lower().encode(), REQUEST_ID_HEADER.lower().encode()
_SAME_FOR_ALL = header_lines([*OF_ALL, (b"content-type", PROBLEM_MEDIA_TYPE.encode())])
_UPLOADS = frozenset({f"{PREFIX}/images", f"{PREFIX}/analyses"})


class UploadRefusals:
    """Says which uploads cannot be kept."""

    def __init__(self, uploads: Uploads, *, longest_deadline_s: float) -> None:
        self._uploads = uploads
        self._longest_deadline_s = longest_deadline_s
        self._begun = 0
        self._untold = 0
        self._told_at_s = -math.inf

    def of(self, scope: Scope) -> ServiceError | None:
        """Return why a request is refused as `Uploads.require_room` says; None for what goes on, or is no upload."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in _UPLOADS:
            return None
        asked = next((value.decode("latin-1") for name, value in scope["headers"] if name == _DEADLINE), None)
        try:
            deadline = Deadline.from_header(asked, longest_s=self._longest_deadline_s)
            self._uploads.require_room(deadline=deadline, begun=0 if scope.get(_BEGUN) else self._begun)
        except ServiceError as error:
            return error
        return None

    def note_begun(self, scope: Scope) -> None:
        """Count an upload that goes on: until its turn comes it takes a place already, or hundreds might come in."""
        if scope["method"] == "POST" and scope["path"] in _UPLOADS:
            scope[_BEGUN] = True
            self._begun += 1

    def note_ended(self, scope: Scope) -> None:
        """Count one that has been answered."""
        if scope.get(_BEGUN):
            self._begun -= 1

    def tell(self, error: ServiceError) -> None:
        """Log that one was refused, with the others of the same second."""
        self._untold += 1
        now_s = time.monotonic()
        if now_s >= self._told_at_s + TELL_EVERY_S:
            log.warning("uploads_refused", extra={"uploads": self._untold, "reason": error.detail})
            self._untold, self._told_at_s = 0, now_s


class UploadAdmission:
    """ASGI middleware; under load `UploadShedding` leaves little for it."""

    def __init__(self, app: ASGIApp, *, refusals: UploadRefusals) -> None:
        self._app = app
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        error = self._refusals.of(scope)
        if error is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = SimpleNamespace(path=scope["path"])  # as metrics name it; no router has seen it
        if isinstance(error, Overloaded):
            scope[LOGGED] = None
            self._refusals.tell(error)
        await error_response(error)(scope, receive, send)


class UploadShedding:
    """Refuses what there is no room for on the connection itself, as `shared.http_protocol.Shed`; counts it."""

    def __init__(
        self,
        refusals: UploadRefusals,
        *,
        metrics: RequestMetrics,
        draining: Draining,
        allowed_origins: Sequence[str],
    ) -> None:
        self._refusals = refusals
        self._metrics = metrics
        self._draining = draining
        self._allowed_origins = allowed_origins

    def __call__(self, scope: Scope) -> Refusal | None:
        """Return the refusal; None where the app has more to say, as to another site's page or at the service's end."""
        error = self._refusals.of(scope)
        headers = dict(scope["headers"])
        is_for_app = self._draining.has_begun or (self._allowed_origins and b"origin" in headers)
        if is_for_app or not isinstance(error, Overloaded):
            self._refusals.note_begun(scope)
            return None
        self._refusals.tell(error)
        self._metrics.count(scope["method"], scope["path"], error.status, 0.0)
        request_id = safe_request_id(headers.get(_REQUEST_ID, b"").decode("latin-1")).encode()
        head = b"retry-after: %b\r\n%b: %b\r\n" % (error.headers["Retry-After"].encode(), _REQUEST_ID, request_id)
        return Refusal(error.status, _SAME_FOR_ALL + head, _problem(error.detail) + request_id + b'"}')


@functools.lru_cache(maxsize=256)
def _problem(detail: str) -> bytes:
    """Return what an `Overloaded` tells as JSON, up to the request's id, which comes last."""
    error = Overloaded(detail)
    problem = Problem(title=error.title, status=error.status, code=error.code, detail=detail, request_id="")
    return problem.model_dump_json().encode().removesuffix(b'"}')


class UploadCounting:
    """ASGI middleware around all others: tells when an upload that was not shed has come to its end."""

    def __init__(self, app: ASGIApp, *, refusals: UploadRefusals) -> None:
        self._app = app
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""
        try:
            await self._app(scope, receive, send)
        finally:
            self._refusals.note_ended(scope)
