"""A head, and whatever else is no body, has a limit; bodies have those of their routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from shared.app import listen
from shared.http_protocol import HEAD_LIMIT_BYTES, BoundedHeadProtocol, Refusal

PIECE = 1024
FAR_MORE = 8 * 1024 * 1024
"""Than any buffer on the way to the server holds."""


async def _count(scope: Scope, receive: Receive, send: Send) -> None:
    size = 0
    async for piece in Request(scope, receive).stream():
        size += len(piece)
    await PlainTextResponse(str(size))(scope, receive, send)


def _refuse(scope: Scope) -> Refusal | None:
    return Refusal(503, b"retry-after: 7\r\n", b"full") if scope["path"] == "/full" else None


@asynccontextmanager
async def _connected() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    protocol = partial(BoundedHeadProtocol, shed=_refuse)
    config = uvicorn.Config(_count, http=protocol, lifespan="off", log_config=None)  # type: ignore[arg-type]
    server, listener = uvicorn.Server(config), listen("test", "127.0.0.1", 0)
    listener.listen()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    try:
        yield reader, writer
    finally:
        writer.close()
        server.should_exit = True
        await serving
        listener.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    return int(head.split()[1]), await reader.readexactly(int(length.split(b":")[1]))


POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("beginning", "more"),
    [
        (b"GET /", b"a" * PIECE),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"a" * PIECE),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", b"X: " + b"a" * PIECE + b"\r\n"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", b"X: y\r\n" * (PIECE // 6)),
        (CHUNKED + b"1;", b"a" * PIECE),
        (CHUNKED + b"1\r\na\r\n0\r\n", b"X: " + b"a" * PIECE + b"\r\n"),
        (CHUNKED + b"1\r\na\r\n0\r\nX: ", b"a" * PIECE),
    ],
    ids=["path", "header", "long headers", "short headers", "chunk", "trailers", "trailer"],
)
async def test_what_has_no_end_is_refused(beginning: bytes, more: bytes) -> None:
    async with _connected() as (reader, writer):
        sent = 0
        with suppress(ConnectionError):
            writer.write(beginning)
            while not reader.at_eof() and sent < FAR_MORE:
                writer.write(more)
                await writer.drain()
                sent += len(more)
                await asyncio.sleep(0)
        assert sent < FAR_MORE


async def test_the_client_is_told_what_was_too_long() -> None:
    async with _connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * HEAD_LIMIT_BYTES)
        status, told = await _answer(reader)
        assert status == 400
        assert str(HEAD_LIMIT_BYTES).encode() in told
        assert await reader.read() == b""


async def test_a_head_in_small_pieces_and_one_after_the_other_are_read() -> None:
    async with _connected() as (reader, writer):
        for _ in range(3):
            request = POST + b"X: " + b"a" * (HEAD_LIMIT_BYTES // 2) + b"\r\nContent-Length: 3\r\n\r\nabc"
            for first in range(0, len(request), PIECE):
                writer.write(request[first : first + PIECE])
                await writer.drain()
                await asyncio.sleep(0)
            assert await _answer(reader) == (200, b"3")


async def test_a_long_body_is_no_head() -> None:
    async with _connected() as (reader, writer):
        writer.write(POST + b"Content-Length: %d\r\n\r\n" % (10 * HEAD_LIMIT_BYTES))
        for _ in range(10):
            writer.write(b"a" * HEAD_LIMIT_BYTES)
            await writer.drain()
        assert await _answer(reader) == (200, b"%d" % (10 * HEAD_LIMIT_BYTES))
        writer.write(CHUNKED)
        for _ in range(2 * HEAD_LIMIT_BYTES // PIECE):
            writer.write(b"%x\r\n" % PIECE + b"a" * PIECE + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\nX: trailer\r\n\r\n")
        assert await _answer(reader) == (200, b"%d" % (2 * HEAD_LIMIT_BYTES))


async def test_what_is_refused_at_once_does_not_end_the_connection() -> None:
    body = b"a" * (4 * HEAD_LIMIT_BYTES)
    full = b"POST /full HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with _connected() as (reader, writer):
        for _ in range(2):
            writer.write(full + POST + b"Content-Length: 3\r\n\r\nabc")
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
            assert b"retry-after: 7\r\n" in head
            assert await reader.readexactly(4) == b"full"
            assert await _answer(reader) == (200, b"3")


async def test_what_is_refused_is_answered_before_its_body_comes() -> None:
    async with _connected() as (reader, writer):
        writer.write(b"POST /full HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n")
        assert await _answer(reader) == (503, b"full")


async def test_a_client_that_asks_for_it_finds_the_connection_closed() -> None:
    async with _connected() as (reader, writer):
        writer.write(b"POST /full HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        assert await _answer(reader) == (503, b"full")
        assert await reader.read() == b""
