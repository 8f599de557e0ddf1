"""Spans of one upload, from all services that it goes through, at a collector that speaks OTLP over HTTP."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.integration.gateway.processes import running
from tests.live_platform import free_ports
from tests.pictures import photo_bytes

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
WAIT_S = 60.0
SERVICES = {"storage": "storage_service", "caption": "caption_service", "classify": "classify_service"}


class Collector:
    """What has been exported: (service, span's name, trace id, span id, parent's id)."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, str, str, str, str]] = []
        self.port = 0

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
                    self.spans.append((named["service.name"], span.name, *ids))


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield collector
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def _platform(folder: Path, collector_port: int) -> Iterator[tuple[ExitStack, dict[str, str], dict[str, str]]]:
    ports = dict(zip(("gateway", *SERVICES), free_ports(4), strict=True))
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    environment = {f"{name.upper()}_PORT": str(port) for name, port in ports.items()} | {
        **{f"GATEWAY_{name.upper()}_URL": urls[name] for name in SERVICES},
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector_port}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    with ExitStack() as stack:
        yield stack, urls, environment


def test_the_spans_of_one_upload_arrive_with_one_trace_id(collector: Collector, tmp_path: Path) -> None:
    with _platform(tmp_path, collector.port) as (stack, urls, environment):

        def start(name: str) -> httpx.Client:
            return stack.enter_context(running(SERVICES.get(name, name), tmp_path, environment, urls[name]))

        with ThreadPoolExecutor() as threads:  # at once, for each takes seconds
            gateway, *_ = threads.map(start, ("gateway", *SERVICES))
        give_up = time.monotonic() + WAIT_S
        while not gateway.get("/health/ready").is_success:
            assert time.monotonic() < give_up
            time.sleep(0.2)
        uploaded = gateway.post(
            "/api/v1/images",
            files={"file": ("dog.jpg", photo_bytes())},
            headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"},
        )
        assert uploaded.status_code == 201

        wanted = {"legenda-gateway", "legenda-storage", "legenda-caption", "legenda-classify"}
        while {service for service, _, trace, *_ in collector.spans if trace == TRACE} != wanted:
            assert time.monotonic() < give_up, collector.spans
            time.sleep(0.1)
    of_trace = [span for span in collector.spans if span[2] == TRACE]
    entrance = next(span for span in of_trace if span[:2] == ("legenda-gateway", "POST /api/v1/images"))
    assert entrance[4] == "00f067aa0ba902b7"
    ids = {span[3] for span in of_trace}
    assert all(span[4] in ids for span in of_trace if span != entrance)
    assert not [span for span in collector.spans if "/health" in span[1] or "/v1/leases" in span[1]]
    logs = (tmp_path / "storage_service.log").read_text(encoding="utf-8")
    assert f'"trace_id": "{TRACE}"' in logs


def test_a_collector_that_is_away_holds_up_nothing(tmp_path: Path) -> None:
    environment = {
        "STORAGE_PORT": str(free_ports(1)[0]),
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_ports(1)[0]}",
    }
    url = f"http://127.0.0.1:{environment['STORAGE_PORT']}"
    with running("storage_service", tmp_path, environment, url) as storage:  # which must end cleanly within 30 s
        assert storage.get("/v1/labels").status_code == 200
    assert '"trace_id"' in (tmp_path / "storage_service.log").read_text(encoding="utf-8")
