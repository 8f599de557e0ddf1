"""Every failure has one shape, in every service."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI, Request
from prometheus_client import CollectorRegistry
from pydantic import BaseModel

from shared.errors import ImageTooLarge, Overloaded, Problem, install_error_handlers
from shared.telemetry import install_telemetry


class Body(BaseModel):
    count: int


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = FastAPI()
    install_error_handlers(app)
    install_telemetry(app, CollectorRegistry())

    @app.get("/large")
    async def large() -> None:
        raise ImageTooLarge("the image has 3 bytes; the limit is 2")

    @app.get("/full")
    async def full() -> None:
        raise Overloaded("come back", retry_after_s=7)

    @app.get("/bug")
    async def bug() -> None:
        raise ZeroDivisionError

    @app.post("/raw")
    async def raw(request: Request) -> int:
        return len(await request.body())

    @app.post("/body")
    async def body(sent: Body) -> Body:
        return sent

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/large", 413, "image_too_large"),
        ("GET", "/full", 503, "overloaded"),
        ("GET", "/bug", 500, "internal_error"),
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", "/large", 405, "method_not_allowed"),
        ("POST", "/body", 422, "invalid_request"),
    ],
)
async def test_every_failure_is_a_problem(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    response = await client.request(method, path, headers={"X-Request-ID": "abc-1"})

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate_json(response.content)
    assert (problem.status, problem.code, problem.request_id) == (status, code, "abc-1")
    assert response.headers["X-Request-ID"] == "abc-1"


async def test_a_caller_that_goes_away_in_the_middle_is_no_failure_of_ours(client: httpx.AsyncClient) -> None:
    app = client._transport.app  # type: ignore[attr-defined]
    arriving = iter([{"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"}])
    sent = []

    async def receive() -> dict[str, object]:
        return next(arriving)

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/raw",
        "query_string": b"",
        "headers": [],
        "http_version": "1.1",
    }
    await app(scope, receive, send)
    assert sent[0]["status"] == 400


async def test_a_full_service_says_when_to_come_back(client: httpx.AsyncClient) -> None:
    assert (await client.get("/full")).headers["Retry-After"] == "7"


async def test_an_unforeseen_failure_tells_nothing_of_the_inside(client: httpx.AsyncClient) -> None:
    assert "ZeroDivision" not in (await client.get("/bug")).text


async def test_a_request_id_that_could_forge_a_log_line_is_replaced(client: httpx.AsyncClient) -> None:
    response = await client.get("/large", headers={"X-Request-ID": "a b\tc"})
    assert response.headers["X-Request-ID"] not in {"", "a b\tc"}


async def test_requests_are_counted_by_route_and_status(client: httpx.AsyncClient) -> None:
    await client.get("/large")
    metrics = (await client.get("/metrics")).text
    assert 'http_requests_total{method="GET",route="/large",status="413"} 1.0' in metrics
