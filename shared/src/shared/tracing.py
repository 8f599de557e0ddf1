"""Carry a trace through all services: W3C's `traceparent`, read from each request and sent with each call.

Its ids stand in every log line, with or without OpenTelemetry; with it, its spans decide them.

Source: W3C Trace Context, level 1, section 3.2 (https://www.w3.org/TR/trace-context/#traceparent-header).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

TRACEPARENT = "traceparent"
_SHAPE = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = "01"


@dataclass(frozen=True)
class Trace:
    """Where in which trace we are."""

    trace_id: str
    span_id: str
    flags: str = _SAMPLED

    @classmethod
    def begin(cls, given: str | None) -> Trace:
        """Go on with the trace of a request, in a span of our own; or begin one where none or a wrong one is given."""
        shape = _SHAPE.fullmatch(given or "")
        if shape is None or ((given or "").startswith("00") and shape[4]):
            return cls(secrets.token_hex(16), secrets.token_hex(8))
        return cls(shape[1], secrets.token_hex(8), shape[3])

    @property
    def header(self) -> str:
        """What a call from here carries."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


_trace: ContextVar[Trace | None] = ContextVar("trace", default=None)
_spans: list[Callable[[], Trace | None]] = []
"""Who knows better, once spans are exported; see `trace_export`."""


Transport = TypeVar("Transport")
_wrappers: list[Callable[[Any], Any]] = []
"""What makes a span of each call that goes through a transport, once spans are exported."""


def begin_trace(given: str | None = None) -> None:
    """Let what the present task does from here on belong to a trace."""
    _trace.set(Trace.begin(given))


def current_trace() -> Trace | None:
    """Return where we are, or None outside of any request."""
    return next(filter(None, (span() for span in _spans)), None) or _trace.get()


def follow(spans: Callable[[], Trace | None], wrap: Callable[[Any], Any]) -> None:
    """Let the spans of a tracer decide where we are; `wrap` makes a span of each call through a transport of httpx."""
    _spans.append(spans)
    _wrappers.append(wrap)


def has_spans() -> bool:
    """Say whether each call through a transport of httpx gets a span."""
    return bool(_wrappers)


def traced(transport: Transport) -> Transport:
    """Return the transport as it is, or with a span of each call where spans are exported."""
    for wrap in _wrappers:
        transport = wrap(transport)
    return transport
