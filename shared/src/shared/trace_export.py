"""Export spans by OTLP over HTTP where OTEL_EXPORTER_OTLP_ENDPOINT says to whom; elsewhere the SDK is not imported.

FastAPI makes the spans of requests, OpenTelemetry's instrumentation of httpx those of calls; all other OTEL_* variables
are read by the SDK. A collector that is away costs spans, never a request: they wait in a bounded queue, which a thread
of its own empties.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from fastapi.telemetry import TelemetryConfig

from shared import tracing
from shared.tracing import Trace

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
QUIET = ("/health", "/metrics", "/v1/leases")
"""Asked again and again."""
FLUSH_TIMEOUT_MS = 2_000


def _is_quiet(scope: MutableMapping[str, Any]) -> bool:
    return str(scope.get("path", "")).startswith(QUIET)


SPANS = TelemetryConfig(metrics=False, logs=False, operation_spans=False, auto_configure=False, exclude=_is_quiet)
"""One span a request, where there is somebody to export to; our metrics and logs are told otherwise."""


@contextmanager
def exported_traces(name: str, version: str) -> Iterator[None]:
    """Export what the service does within the block, if that is wanted."""
    if not any(os.environ.get(variable) for variable in ENDPOINTS):
        yield
        return
    close = _open(name, version)
    try:
        yield
    finally:
        close()


def _open(name: str, version: str) -> Callable[[], None]:
    """Return what sends the rest of the spans, for at most FLUSH_TIMEOUT_MS."""
    api: Any = import_module("opentelemetry.trace")
    sdk: Any = import_module("opentelemetry.sdk.trace")
    export: Any = import_module("opentelemetry.sdk.trace.export")
    resources: Any = import_module("opentelemetry.sdk.resources")
    otlp: Any = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    of_httpx: Any = import_module("opentelemetry.instrumentation.httpx")

    resource = resources.Resource.create({"service.name": f"legenda-{name}", "service.version": version})
    provider = sdk.TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter()))
    api.set_tracer_provider(provider)

    def present() -> Trace | None:
        context = api.get_current_span().get_span_context()
        if not context.is_valid:
            return None
        return Trace(f"{context.trace_id:032x}", f"{context.span_id:016x}", f"{int(context.trace_flags):02x}")

    tracing.follow(present, lambda transport: of_httpx.AsyncOpenTelemetryTransport(transport, provider))

    def close() -> None:
        provider.force_flush(FLUSH_TIMEOUT_MS)

    return close
