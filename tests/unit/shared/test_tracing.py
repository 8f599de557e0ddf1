"""A trace goes on from the request to the calls that are made for it, as W3C says."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from shared.deadline import Deadline
from shared.http_client import ServiceClient
from shared.telemetry import configure_logging, install_telemetry

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


async def _sent_on(given: str | None) -> dict[str, str]:
    """Ask a service that asks another; return the headers that came there."""
    seen: list[httpx.Request] = []

    def other(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    behind = ServiceClient("other", httpx.AsyncClient(transport=httpx.MockTransport(other), base_url="http://other"))
    app = FastAPI()
    install_telemetry(app, CollectorRegistry())

    @app.get("/")
    async def ask() -> None:
        await behind.send("GET", "/", deadline=Deadline.after(5))
        logging.getLogger("here").info("asked")

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a") as client:
        await client.get("/", headers={"traceparent": given} if given else {})
    return dict(seen[0].headers)


async def test_a_trace_goes_on_in_a_span_of_our_own() -> None:
    version, trace_id, span_id, flags = (await _sent_on(f"00-{TRACE}-{SPAN}-00"))["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", TRACE, "00")
    assert span_id != SPAN
    assert len(span_id) == 16


@pytest.mark.parametrize(
    "given",
    [
        None,
        "nonsense",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
    ],
)
async def test_where_none_or_a_wrong_one_comes_a_new_one_begins(given: str | None) -> None:
    _, trace_id, span_id, flags = (await _sent_on(given))["traceparent"].split("-")
    assert (len(trace_id), len(span_id), flags) == (32, 16, "01")
    assert trace_id not in {TRACE, "0" * 32}


async def test_a_later_version_is_read_as_far_as_we_know_it() -> None:
    assert (await _sent_on(f"01-{TRACE}-{SPAN}-01-more"))["traceparent"].startswith(f"00-{TRACE}-")


async def test_its_ids_stand_in_each_line_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        configure_logging("here", level="info")
        sent = await _sent_on(f"00-{TRACE}-{SPAN}-01")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        logging.captureWarnings(False)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {line["event"] for line in lines} == {"asked", "request"}
    assert {(line["trace_id"], line["span_id"]) for line in lines} == {(TRACE, sent["traceparent"].split("-")[2])}


def test_opentelemetrys_sdk_is_not_imported_unless_it_is_asked_for() -> None:
    sdk = "('opentelemetry.sdk', 'opentelemetry.exporter', 'opentelemetry.instrumentation')"
    code = f"import shared.app, gateway.app, sys; print([name for name in sys.modules if name.startswith({sdk})])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout == "[]\n"
