"""Bodies that take long, through a real server: whole, broken off, and with a client that leaves or stalls."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from shared.errors import BadRequest, DeadlineExceeded, ForwardedProblem, UpstreamFailed, install_error_handlers
from shared.http_client import ServiceClient, open_http
from shared.long_stream import LongStream

PIECE = b"x" * 100_000
NEVER_S = 3600


class Endless:
    """Pieces without an end that knows when it was closed."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()
        self.sent = 0

    async def pieces(self) -> AsyncGenerator[bytes]:
        try:
            while True:
                yield PIECE
                self.sent += 1
                await asyncio.sleep(0)
        finally:
            self.closed.set()


async def _whole() -> AsyncGenerator[bytes]:
    for _ in range(30):
        yield PIECE


async def _broken() -> AsyncGenerator[bytes]:
    yield PIECE
    raise UpstreamFailed("the database is gone")


async def _refused() -> AsyncGenerator[bytes]:
    raise BadRequest("no such thing")
    yield b""


async def _stuck() -> AsyncGenerator[bytes]:
    yield PIECE
    await asyncio.sleep(NEVER_S)


@asynccontextmanager
async def _serving(pieces: AsyncGenerator[bytes], *, stall_timeout_s: float = 30.0) -> AsyncIterator[str]:
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/")
    async def stream() -> LongStream:
        return LongStream(pieces, stall_timeout_s=stall_timeout_s, media_type="application/zip")

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


async def test_a_whole_body_arrives_whole() -> None:
    async with _serving(_whole()) as url, open_http(url, connections=1) as http:
        assert (await http.get("/")).content == 30 * PIECE


async def test_a_body_that_breaks_off_does_not_look_whole() -> None:
    async with _serving(_broken()) as url, open_http(url, connections=1) as http:
        with pytest.raises(httpx.TransportError):
            await http.get("/")


async def test_a_failure_before_the_first_byte_is_answered_like_any_other() -> None:
    async with _serving(_refused()) as url, open_http(url, connections=1) as http:
        response = await http.get("/")
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


async def _passed_on(url: str, http: httpx.AsyncClient, *, step_timeout_s: float = 30, into: list[bytes]) -> None:
    async for piece in ServiceClient("storage", http).stream("GET", url, step_timeout_s=step_timeout_s):
        into.append(piece)


async def test_whoever_passes_it_on_learns_that_it_broke_off() -> None:
    got: list[bytes] = []
    async with _serving(_broken()) as url, open_http(url, connections=1) as http:
        with pytest.raises(UpstreamFailed):
            await _passed_on("/", http, into=got)
    assert b"".join(got) == PIECE


async def test_whoever_passes_it_on_waits_for_each_piece_only_so_long() -> None:
    got: list[bytes] = []
    async with _serving(_stuck()) as url, open_http(url, connections=1) as http:
        with pytest.raises(DeadlineExceeded):
            await _passed_on("/", http, step_timeout_s=0.5, into=got)
    assert b"".join(got) == PIECE


async def test_a_refusal_is_passed_on_as_what_it_is() -> None:
    async with _serving(_refused()) as url, open_http(url, connections=1) as http:
        with pytest.raises(ForwardedProblem) as refused:
            await _passed_on("/", http, into=[])
    assert (refused.value.status, refused.value.code) == (400, "bad_request")


async def test_nothing_more_is_made_for_a_client_that_went_away() -> None:
    endless = Endless()
    async with _serving(endless.pieces()) as url, open_http(url, connections=1) as http:
        async with http.stream("GET", "/") as response:
            await anext(response.aiter_raw())
        await asyncio.wait_for(endless.closed.wait(), 10)


async def test_a_client_that_stops_reading_is_given_up() -> None:
    endless = Endless()
    async with _serving(endless.pieces(), stall_timeout_s=0.3) as url:
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=1)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.wait_for(endless.closed.wait(), 20)
        sent = endless.sent
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        assert not reader.at_eof()
    assert endless.sent == sent
