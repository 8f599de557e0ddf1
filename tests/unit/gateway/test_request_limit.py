from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from gateway.request_limit import RequestLimit


class Slow:
    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.present = 0
        self.app = FastAPI()
        for path in ("/api/v1/images", "/api/v1/export", "/health/live"):
            self.app.get(path)(self._answer)

    async def _answer(self) -> str:
        self.present += 1
        await self.go.wait()
        return "done"


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
async def client(slow: Slow) -> AsyncIterator[httpx.AsyncClient]:
    seconds = iter(range(0, 1000, 7))
    limited = RequestLimit(slow.app, at_once=2, clock=lambda: float(next(seconds)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(limited), base_url="http://gateway") as client:
        yield client


async def _until_present(slow: Slow, present: int) -> None:
    async with asyncio.timeout(10):
        while slow.present < present:
            await asyncio.sleep(0)


async def test_one_request_too_many_is_refused_at_once_and_told_when_to_come_back(
    slow: Slow, client: httpx.AsyncClient
) -> None:
    under_way = [asyncio.create_task(client.get("/api/v1/images")) for _ in range(2)]
    await _until_present(slow, 2)
    refused = await client.get("/api/v1/images")
    assert (refused.status_code, refused.json()["code"], refused.headers["Retry-After"]) == (503, "overloaded", "1")
    slow.go.set()
    assert [answer.status_code for answer in await asyncio.gather(*under_way)] == [200, 200]

    slow.go.clear()
    again = [asyncio.create_task(client.get("/api/v1/images")) for _ in range(2)]
    await _until_present(slow, 4)
    refused = await client.get("/api/v1/images")
    assert int(refused.headers["Retry-After"]) > 1  # by now it is known how long one takes
    slow.go.set()
    await asyncio.gather(*again)


async def test_streams_and_health_are_not_counted(slow: Slow, client: httpx.AsyncClient) -> None:
    paths = ["/api/v1/images", "/api/v1/images", "/api/v1/export", "/health/live"]
    under_way = [asyncio.create_task(client.get(path)) for path in paths]
    await _until_present(slow, 4)
    slow.go.set()
    assert [answer.status_code for answer in await asyncio.gather(*under_way)] == [200] * 4
