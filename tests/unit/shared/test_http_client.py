"""What a failing service becomes for its caller."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import httpx
import pytest

from shared.contracts import ModelName
from shared.deadline import DEADLINE_HEADER, Deadline
from shared.errors import DeadlineExceeded, ForwardedProblem, Overloaded, Problem, ServiceError, UpstreamFailed
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
