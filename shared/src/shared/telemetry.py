"""Say what happens: logs with fields, request ids, and Prometheus metrics.

Logs are JSON where a program reads them and short coloured lines where a person does. A request id travels through
all services in `X-Request-ID`, a trace in `traceparent`.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import time
import uuid
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.tracing import TRACEPARENT, begin_trace, current_trace

REQUEST_ID_HEADER = "X-Request-ID"
LOGGED = "legenda.logged"
"""In an ASGI scope: fields that the line of this request shall have besides; None where another line tells of it."""

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_QUIET_ROUTES = ("/health", "/metrics", "/v1/leases", "/v1/batches")  # asked again and again
_SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_in_json = json.JSONEncoder(default=str, ensure_ascii=False).encode
_PLAIN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def current_request_id() -> str:
    """Return the id of the request being served, or an empty string outside of one."""
    return _request_id.get()


def begin_request_id() -> None:
    """Give what the present task does from here on an id, as a request has; for work that no request began."""
    _request_id.set(uuid.uuid4().hex)
    begin_trace()


def configure_logging(service: str, *, level: str) -> None:
    """Send every log line to standard error, as JSON unless that is a terminal."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_ReadableFormatter(service) if sys.stderr.isatty() else _JsonFormatter(service))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.captureWarnings(True)
    for noisy in ("httpx", "httpcore", "uvicorn.access", "alembic", "python_multipart"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


class RequestMetrics:
    """Counts and times of one service's requests, in a registry of its own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter("http_requests", "Requests answered.", ["method", "route", "status"], registry=registry)
        self.duration_s = Histogram(
            "http_request_duration_seconds", "Time to answer.", ["method", "route"], registry=registry
        )
        self.in_flight = Gauge("http_requests_in_flight", "Requests being served.", registry=registry)
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def count(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Count an answered request."""
        key = method, route, status
        if key not in self._known:  # looking them up takes longer than counting
            self._known[key] = self.requests.labels(*key), self.duration_s.labels(method, route)
        requests, duration = self._known[key]
        requests.inc()
        duration.observe(duration_s)


def request_id_in(headers: Headers) -> str:
    """Return the id that a request brings along, or a new one."""
    return safe_request_id(headers.get(REQUEST_ID_HEADER, ""))


def safe_request_id(given: str) -> str:
    """Return a request's id as it is, or a new one where it is none."""
    return given if _SAFE_REQUEST_ID.fullmatch(given) else secrets.token_hex(16)


def install_telemetry(app: FastAPI, registry: CollectorRegistry) -> RequestMetrics:
    """Give every request an id, count it, log it, and serve `/metrics`, which also tell the process's memory."""
    ProcessCollector(registry=registry)
    metrics = RequestMetrics(registry)
    app.add_middleware(_Observer, metrics=metrics)

    @app.get("/metrics", include_in_schema=False)
    async def _metrics() -> Response:
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8")

    return metrics


class _Observer:
    """ASGI middleware around all others: what it sets is still there when an unforeseen error is answered."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_in(Headers(scope=scope))
        _request_id.set(request_id)
        begin_trace(Headers(scope=scope).get(TRACEPARENT))
        started = time.perf_counter()
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = request_id
            await send(message)

        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            self._metrics.in_flight.dec()
            self._record(scope, status, time.perf_counter() - started)

    def _record(self, scope: Scope, status: int, duration_s: float) -> None:
        method = scope["method"]
        route = getattr(scope.get("route"), "path", "unknown")
        self._metrics.count(method, route, status, duration_s)
        besides = scope.get(LOGGED, {})
        if besides is not None and not route.startswith(_QUIET_ROUTES):
            duration_ms = round(1000 * duration_s, 1)
            fields = {"method": method, "path": scope["path"], "status": status, "duration_ms": duration_ms}
            logging.getLogger("request").info("request", extra={**fields, **besides})


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = {key: value for key, value in vars(record).items() if key not in _PLAIN_FIELDS}
    if request_id := current_request_id():
        fields["request_id"] = request_id
    if trace := current_trace():
        fields |= {"trace_id": trace.trace_id, "span_id": trace.span_id}
    return fields


class _JsonFormatter(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "event": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _in_json(line)


class _ReadableFormatter(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        clock = datetime.fromtimestamp(record.created, UTC).astimezone().strftime("%H:%M:%S")
        fields = " ".join(f"{key}={value}" for key, value in _fields(record).items())
        line = f"{clock} {self._service:<8} {record.levelname.lower():<7} {record.getMessage()} {fields}".rstrip()
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line
