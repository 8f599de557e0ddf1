"""Let a service go without failing anybody: it turns unready, goes on for those still to notice, and takes its leave.

While it drains, each answer asks its client to connect anew, so that no request is lost on a kept connection that is
closed at the same moment. Streams would go on for hours: they end when the other requests have, event streams properly,
all others in the middle of their body, so that nobody takes one for whole.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import Overloaded, error_response

log = logging.getLogger(__name__)

QUIET_S = 1.0
"""Nobody asks any more when nobody has for so long; whoever was told to come back in a second does in that time."""
LONGEST_LINGER_S = 3.0
"""So long a busy service goes on before it listens no more."""
STREAM_GRACE_S = 2.0
"""So long a stream may go on when only streams are left."""
UNREAD_BODY_S = 2.0
"""So long an answered request's body is read to its end: closed before, its client would see a broken connection."""
EVENT_STREAM = "text/event-stream"
_NOT_COUNTED = ("/health", "/metrics")


@dataclass(eq=False)
class _Request:
    task: asyncio.Task[object]
    is_answered: bool = False
    is_read: bool = False
    is_stream: bool = False
    is_event_stream: bool = False
    is_ended: bool = False


@dataclass
class Draining:
    """Whether a service is being stopped, and what it still has to do."""

    clock: Callable[[], float] = time.monotonic
    began_s: float | None = None
    _last_request_s: float = -math.inf
    _left_to_streams_s: float | None = None
    _under_way: set[_Request] = field(default_factory=set)

    @property
    def has_begun(self) -> bool:
        """Whether the service was told to stop."""
        return self.began_s is not None

    def begin(self) -> None:
        """Be unready from now on."""
        if self.began_s is None:
            self.began_s = self.clock()
            log.info("draining", extra={"requests": len(self._under_way)})

    def may_stop_listening(self) -> bool:
        """Say whether everybody who would ask has had time to turn to another."""
        if self.began_s is None:
            return False
        now = self.clock()
        return now - self._last_request_s >= QUIET_S or now - self.began_s >= LONGEST_LINGER_S

    def end_streams(self) -> None:
        """End the streams if nothing else has been under way for a while; called again and again."""
        if not all(request.is_stream for request in self._under_way):
            self._left_to_streams_s = None
            return
        now = self.clock()
        if self._left_to_streams_s is None:
            self._left_to_streams_s = now
        for request in self._under_way:
            if request.is_event_stream or now - self._left_to_streams_s >= STREAM_GRACE_S:
                self._end(request)

    def note_request(self, request: _Request) -> None:
        """Count a request that has come."""
        self._last_request_s = self.clock()
        self._under_way.add(request)

    def forget_request(self, request: _Request) -> None:
        """Count one that was answered."""
        self._under_way.discard(request)

    def _end(self, request: _Request) -> None:
        if not request.is_ended:
            request.is_ended = True
            request.task.cancel()


class DrainingRequests:
    """ASGI middleware: counts what is under way, and ends what must end."""

    def __init__(self, app: ASGIApp, draining: Draining) -> None:
        self._app = app
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""
        task = asyncio.current_task()
        if scope["type"] != "http" or task is None or scope["path"].startswith(_NOT_COUNTED):
            await self._app(scope, receive, send)
            return
        request = _Request(task, is_read=not _has_body(scope))

        async def receive_and_note() -> Message:
            message = await receive()
            request.is_read = request.is_read or not message.get("more_body", False)
            return message

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.is_answered = True
                headers = Headers(raw=message["headers"])
                request.is_event_stream = headers.get("content-type", "").startswith(EVENT_STREAM)
                request.is_stream = request.is_event_stream or "content-length" not in headers
                if self._draining.has_begun:
                    MutableHeaders(scope=message)["Connection"] = "close"
            elif self._draining.has_begun and not request.is_read and not message.get("more_body", False):
                await send({**message, "more_body": True})
                await _read_to_the_end(request, receive_and_note)
                message = {"type": "http.response.body", "body": b"", "more_body": False}
            await send(message)

        self._draining.note_request(request)
        try:
            await self._app(scope, receive_and_note, send_and_note)
        except asyncio.CancelledError:
            if not self._draining.has_begun or (request.is_answered and not request.is_ended):
                raise
            task.uncancel()
            log.info("request_ended_by_stop", extra={"path": scope["path"]})
            if not request.is_answered:
                await error_response(Overloaded("the service is being stopped; try again"))(scope, receive, send)
            elif request.is_event_stream:  # its client comes back and goes on where it was
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._draining.forget_request(request)


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


async def _read_to_the_end(request: _Request, receive: Receive) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(UNREAD_BODY_S):
            while not request.is_read:
                await receive()
