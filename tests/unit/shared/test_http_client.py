"""What a failing service becomes for its caller."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from shared.contracts import ModelName
from shared.deadline import DEADLINE_HEADER, Deadline
from shared.errors import (
    DeadlineExceeded,
    ForwardedProblem,
    Overloaded,
    Problem,
    ServiceError,
    UpstreamFailed,
    UpstreamUnavailable,
)
from shared.http_client import ServiceClient, open_http

Answer = Callable[[httpx.Request], httpx.Response]


def _client(answer: Answer) -> ServiceClient:
    return ServiceClient("other", httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://other"))


def _problem(status: int, code: str) -> Answer:
    problem = Problem(title=code, status=status, code=code, detail="why", request_id="r")
    return lambda _: httpx.Response(status, json=problem.model_dump())


async def _ask(client: ServiceClient) -> ModelName:
    return await client.call(ModelName, "GET", "/", deadline=Deadline.after(5))


@pytest.mark.parametrize(("said", "passed_on"), [("30", "30"), ("soon", "1"), (None, "1")])
async def test_when_to_come_back_is_passed_on(said: str | None, passed_on: str) -> None:
    headers = {} if said is None else {"Retry-After": said}
    problem = Problem(title="Too busy", status=503, code="overloaded", detail="why", request_id="r").model_dump()
    with pytest.raises(Overloaded) as full:
        await _ask(_client(lambda _: httpx.Response(503, json=problem, headers=headers)))
    assert full.value.headers == {"Retry-After": passed_on}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (_problem(503, "overloaded"), Overloaded),
        (_problem(504, "deadline_exceeded"), DeadlineExceeded),
        (_problem(500, "internal_error"), UpstreamFailed),
        (_problem(404, "not_found"), ForwardedProblem),
        (lambda _: httpx.Response(502, text="<html>"), UpstreamFailed),
        (lambda _: httpx.Response(200, text="not json"), UpstreamFailed),
        (lambda _: httpx.Response(200, json={"surprise": 1}), UpstreamFailed),
    ],
)
async def test_each_way_to_fail_has_its_error(answer: Answer, error: type[ServiceError]) -> None:
    with pytest.raises(error):
        await _ask(_client(answer))


async def test_a_refusal_keeps_its_own_words() -> None:
    with pytest.raises(ForwardedProblem) as caught:
        await _ask(_client(_problem(422, "broken_image")))
    assert (caught.value.status, caught.value.code, caught.value.detail) == (422, "broken_image", "why")


async def test_a_service_that_cannot_be_reached_is_an_upstream_failure() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(UpstreamFailed):
        await _ask(_client(refuse))


async def test_a_service_that_never_answers_is_given_up_at_the_deadline() -> None:
    async def hang(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        return httpx.Response(200)

    client = ServiceClient("other", httpx.AsyncClient(transport=httpx.MockTransport(hang), base_url="http://other"))
    with pytest.raises(DeadlineExceeded):
        await client.call(ModelName, "GET", "/", deadline=Deadline.after(0.05))


async def test_the_remaining_time_travels_along() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers[DEADLINE_HEADER])
        return httpx.Response(200, json={"name": "m", "version": "1"})

    await _ask(_client(answer))
    assert 0 < int(seen[0]) <= 5000


@asynccontextmanager
async def _answering(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Serve the same answer again and again; hand out the address, and what was asked."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
                asked.append(head + await reader.readexactly(int(length[1]) if length else 0))
                writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}", asked


@pytest.mark.parametrize("body", [{"content": b"picture"}, {"json": {"a": "picture"}}, {"files": {"a": b"picture"}}])
async def test_a_request_arrives_whole_whatever_it_carries(body: dict[str, Any]) -> None:
    answer = b'HTTP/1.1 200 OK\r\nContent-Length: 29\r\n\r\n{"name": "m", "version": "1"}'
    async with _answering(answer) as (url, asked), open_http(url, connections=1, token="secret") as http:
        service = ServiceClient("model", http)
        query = {"q": "a & b", "label": "ü"}
        deadline = Deadline.after(30)
        told = await service.call(
            ModelName, "POST", "/v1/x", deadline=deadline, params=query, headers={"X-Own": "1"}, **body
        )
    assert told == ModelName(name="m", version="1")
    head, _, sent = asked[0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    method, target, _ = first.split()
    assert (method, urlsplit(target).path) == ("POST", "/v1/x")
    assert parse_qs(urlsplit(target).query) == {"q": ["a & b"], "label": ["ü"]}
    assert (headers["authorization"], headers["x-own"]) == ("Bearer secret", "1")
    assert 0 < int(headers[DEADLINE_HEADER.lower()]) <= 30_000
    assert b"picture" in sent


@pytest.mark.parametrize("body", [{}, {"files": {"a": b"picture"}}])
@pytest.mark.parametrize("answer", [b"", b"no HTTP at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
async def test_a_connection_that_breaks_is_an_upstream_that_is_away(answer: bytes, body: dict[str, Any]) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        async with open_http(f"http://{host}:{port}", connections=1) as http:
            with pytest.raises(UpstreamUnavailable):
                await ServiceClient("model", http).send("POST", "/", deadline=Deadline.after(30), **body)
    async with open_http(f"http://{host}:{port}", connections=1) as http:
        with pytest.raises(UpstreamUnavailable):  # nobody listens any more
            await ServiceClient("model", http).send("POST", "/", deadline=Deadline.after(30), **body)


@pytest.mark.parametrize(("keeps_idle", "connections"), [(True, 1), (False, 3)])
async def test_calls_to_a_service_of_several_processes_each_make_a_connection(
    keeps_idle: bool, connections: int
) -> None:
    made: list[asyncio.Event] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.append(ended := asyncio.Event())
        with contextlib.suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()
        ended.set()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        async with open_http(f"http://{host}:{port}", connections=4, keeps_idle=keeps_idle) as http:
            for _ in range(3):
                await ServiceClient("model", http).send("GET", "/", deadline=Deadline.after(30))
        for ended in made:
            await ended.wait()
    assert len(made) == connections
