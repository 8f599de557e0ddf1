"""Read requests with httptools, no more of a head than one may have, and refuse some as soon as the head is read.

httptools parses in C, which takes much less time than h11 does, but keeps a head, or what follows a chunked body, until
it is whole, however long it becomes (uvicorn has no limit for it).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

log = logging.getLogger(__name__)

HEAD_LIMIT_BYTES = 32 * 1024
"""Besides what comes in the same piece as the end; browsers and proxies send a few KB."""


@dataclass(frozen=True)
class Refusal:
    """A whole answer."""

    status: int
    head: bytes
    """Its headers but Content-Length, each a line with its end."""
    body: bytes


def header_lines(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return headers as they are sent."""
    return b"".join(b"%b: %b\r\n" % header for header in headers)


Shed = Callable[[MutableMapping[str, Any]], Refusal | None]
"""Says what to answer a request with that is not even begun, by its ASGI scope; None: it is begun.

Under overload nearly all are refused, and through the app each would take several times as long.
"""


class BoundedHeadProtocol(HttpToolsProtocol):
    """A connection that is closed when so many bytes in a row have brought neither a whole head nor a body."""

    _moved = False
    _unfinished_bytes = 0

    def __init__(self, *given: Any, shed: Shed | None = None, **named: Any) -> None:
        super().__init__(*given, **named)
        self._shed = shed

    def data_received(self, data: bytes) -> None:
        """Parse what has come."""
        self._moved = False
        super().data_received(data)
        self._unfinished_bytes = 0 if self._moved else self._unfinished_bytes + len(data)
        if self._unfinished_bytes > HEAD_LIMIT_BYTES and not self.transport.is_closing():
            log.warning("head_too_long", extra={"client": self.client})
            self.send_400_response(f"The request's head has more than {HEAD_LIMIT_BYTES} bytes.")

    def on_headers_complete(self) -> None:
        """Begin the request; called by the parser."""
        self._moved = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body; called by the parser."""
        self._moved = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request; called by the parser."""
        self._moved = True
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Begin a request, or refuse it; the rest of its body is read and dropped."""
        refusal = self._shed(cast("MutableMapping[str, Any]", cycle.scope)) if self._shed else None
        if refusal is None:
            super()._start_asgi_task(cycle, app)
            return
        cycle.response_started = cycle.response_complete = True
        own = header_lines(self.server_state.default_headers)
        length = b"content-length: %d\r\n\r\n" % len(refusal.body)
        self.transport.write(b"".join([STATUS_LINE[refusal.status], own, refusal.head, length, refusal.body]))
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
