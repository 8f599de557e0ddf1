"""When a service that is being stopped listens no more, and when its streams end, by a clock of our own."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.types import Message, Receive, Scope, Send

from shared.app import create_service
from shared.contracts import Health
from shared.draining import LONGEST_LINGER_S, QUIET_S, STREAM_GRACE_S, Draining, DrainingRequests


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def draining(clock: Clock) -> Draining:
    return Draining(clock=clock)


class Answering:
    """An app whose answer begins with these headers and goes on until it is told to end."""

    def __init__(self, headers: dict[str, str] | None) -> None:
        self.headers = headers
        self.has_begun = asyncio.Event()
        self.end = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.headers is not None:
            raw = [(name.encode(), value.encode()) for name, value in self.headers.items()]
            await send({"type": "http.response.start", "status": 200, "headers": raw})
        self.has_begun.set()
        await self.end.wait()
        if self.headers is None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Call:
    """One request to an app behind the middleware, and what was sent in answer."""

    def __init__(self, app: Answering, draining: Draining, path: str = "/api") -> None:
        self.sent: list[Message] = []
        scope = {"type": "http", "path": path, "method": "GET", "headers": []}
        self.task = asyncio.create_task(DrainingRequests(app, draining)(scope, self._receive, self._send))

    async def _receive(self) -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)


SSE = {"content-type": "text/event-stream; charset=utf-8"}
ZIP = {"content-type": "application/zip"}
WHOLE = {"content-type": "image/jpeg", "content-length": "10"}


async def _answered(draining: Draining) -> None:
    app = Answering({})
    app.end.set()
    await Call(app, draining).task


async def test_it_goes_on_listening_until_nobody_asks_any_more(draining: Draining, clock: Clock) -> None:
    await _answered(draining)
    clock.now_s += QUIET_S / 2
    assert not draining.may_stop_listening()
    draining.begin()
    assert not draining.may_stop_listening()
    clock.now_s += QUIET_S / 2 + 0.01
    assert draining.may_stop_listening()


def test_whom_nobody_asks_stops_at_once(draining: Draining) -> None:
    assert not draining.may_stop_listening()
    draining.begin()
    assert draining.may_stop_listening()


async def test_who_is_asked_without_a_pause_stops_listening_all_the_same(draining: Draining, clock: Clock) -> None:
    draining.begin()
    lingered_s = 0.0
    await _answered(draining)
    while not draining.may_stop_listening():
        await _answered(draining)
        clock.now_s += QUIET_S / 2
        lingered_s += QUIET_S / 2
    assert LONGEST_LINGER_S <= lingered_s < LONGEST_LINGER_S + QUIET_S


async def test_an_event_stream_ends_properly_as_soon_as_all_else_is_done(draining: Draining) -> None:
    events, other = Answering(SSE), Answering(WHOLE)
    streaming, download = Call(events, draining), Call(other, draining)
    await events.has_begun.wait()
    await other.has_begun.wait()
    draining.begin()
    draining.end_streams()
    await asyncio.sleep(0)
    assert not streaming.task.done()

    other.end.set()
    await download.task
    draining.end_streams()
    await streaming.task
    assert streaming.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_a_download_without_a_length_gets_a_moment_and_then_breaks_off(draining: Draining, clock: Clock) -> None:
    app = Answering(ZIP)
    call = Call(app, draining)
    await app.has_begun.wait()
    draining.begin()
    draining.end_streams()
    clock.now_s += STREAM_GRACE_S - 0.1
    draining.end_streams()
    await asyncio.sleep(0)
    assert not call.task.done()
    clock.now_s += 0.11
    draining.end_streams()
    await call.task
    assert [message["type"] for message in call.sent] == ["http.response.start"]


async def test_a_request_that_is_cut_off_before_its_answer_is_told_to_come_back(draining: Draining) -> None:
    app = Answering(None)
    call = Call(app, draining)
    await app.has_begun.wait()
    draining.begin()
    call.task.cancel()
    await call.task
    assert call.sent[0]["status"] == 503
    assert (b"retry-after", b"1") in call.sent[0]["headers"]


async def test_a_client_that_leaves_is_not_mistaken_for_a_stop(draining: Draining) -> None:
    app = Answering(None)
    call = Call(app, draining)
    await app.has_begun.wait()
    call.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call.task


@pytest.fixture
def service() -> FastAPI:
    def readiness() -> Health:
        return Health(status="ready", service="test", version="1")

    return create_service(
        "test",
        version="1",
        description="A test.",
        readiness=readiness,
        lifespan=lambda _: pytest.fail("not started"),
        registry=CollectorRegistry(),
        load=lambda: 1.0,
    )


async def test_it_is_unready_at_once_and_asks_clients_to_connect_anew(service: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(service), base_url="http://test") as client:
        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"], ready.json()["load"]) == (200, "ready", 1)
        assert "connection" not in (await client.get("/openapi.json")).headers
        service.state.draining.begin()
        unready = await client.get("/health/ready")
        assert (unready.status_code, unready.json()["status"]) == (503, "stopping")
        assert unready.headers["Retry-After"] == "1"
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/openapi.json")).headers["connection"] == "close"
        assert "work_places_taken_ratio 1.0" in (await client.get("/metrics")).text
