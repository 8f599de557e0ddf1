from __future__ import annotations

from collections.abc import Sequence

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from gateway.upload_admission import UploadAdmission, UploadCounting, UploadRefusals, UploadShedding
from shared.deadline import Deadline
from shared.draining import Draining
from shared.errors import Overloaded, Problem
from shared.telemetry import LOGGED


class Full:
    """Has no room for what has less than ten seconds."""

    def require_room(self, *, deadline: Deadline, begun: int = 0) -> None:
        if begun >= 2:
            raise Overloaded("all places are taken")
        if deadline.remaining_s() < 10:
            raise Overloaded("no room", retry_after_s=4)


class Seen:
    """An app, and the last scope that went through its doors."""

    def __init__(self) -> None:
        self.scope: Scope = {}
        self.bodies: list[bytes] = []
        routed = FastAPI()

        async def take(request: Request) -> str:
            self.bodies.append(await request.body())
            return "taken"

        for path in ("/api/v1/images", "/api/v1/analyses", "/api/v1/retry"):
            routed.post(path)(take)
        routed.get("/api/v1/images")(lambda: "listed")
        refusals = UploadRefusals(Full(), longest_deadline_s=30)  # type: ignore[arg-type]
        self._inner = UploadAdmission(routed, refusals=refusals)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        await self._inner(scope, receive, send)


@pytest.fixture
def seen() -> Seen:
    return Seen()


async def _ask(seen: Seen, method: str, path: str, *, deadline_ms: str | None = None) -> httpx.Response:
    headers = {} if deadline_ms is None else {"X-Deadline-Ms": deadline_ms}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(seen), base_url="http://gateway") as client:
        return await client.request(method, path, headers=headers, content=b"an image")


@pytest.mark.parametrize("path", ["/api/v1/images", "/api/v1/analyses"])
async def test_an_upload_without_room_is_refused_before_its_body_is_read(seen: Seen, path: str) -> None:
    refused = await _ask(seen, "POST", path, deadline_ms="5000")
    assert (refused.status_code, refused.json()["code"], refused.headers["Retry-After"]) == (503, "overloaded", "4")
    assert seen.bodies == []
    assert seen.scope["route"].path == path  # metrics and alerts name it as one that was routed


async def test_an_upload_with_time_is_taken(seen: Seen) -> None:
    assert (await _ask(seen, "POST", "/api/v1/images")).json() == "taken"
    assert seen.bodies == [b"an image"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/v1/images"), ("POST", "/api/v1/retry")])
async def test_what_is_no_upload_goes_on(seen: Seen, method: str, path: str) -> None:
    assert (await _ask(seen, method, path, deadline_ms="5000")).status_code == 200


async def test_a_deadline_that_is_none_is_said_at_once(seen: Seen) -> None:
    refused = await _ask(seen, "POST", "/api/v1/images", deadline_ms="soon")
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")


async def test_those_refused_within_a_second_are_logged_together(seen: Seen, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    for _ in range(5):
        await _ask(seen, "POST", "/api/v1/images", deadline_ms="5000")
    assert seen.scope[LOGGED] is None
    [told] = [record for record in caplog.records if record.message == "uploads_refused"]
    assert (told.uploads, told.reason) == (1, "no room")  # type: ignore[attr-defined]  # the first at once


class Counted:
    def __init__(self) -> None:
        self.answers: list[tuple[str, str, int]] = []

    def count(self, method: str, route: str, status: int, duration_s: float) -> None:
        self.answers.append((method, route, status))


def _shedding(counted: Counted, *, draining: Draining | None = None, origins: Sequence[str] = ()) -> UploadShedding:
    refusals = UploadRefusals(Full(), longest_deadline_s=30)  # type: ignore[arg-type]
    return UploadShedding(
        refusals,
        metrics=counted,
        draining=draining or Draining(),
        allowed_origins=origins,  # type: ignore[arg-type]
    )


def _scope(*, deadline_ms: str = "5000", method: str = "POST", **headers: str) -> Scope:
    raw = Headers({"X-Deadline-Ms": deadline_ms, **headers}).raw
    return {"type": "http", "method": method, "path": "/api/v1/images", "headers": raw}


def test_an_upload_shed_is_told_all_that_others_are() -> None:
    counted = Counted()
    refusal = _shedding(counted)(_scope(**{"X-Request-ID": "mine"}))
    assert refusal is not None
    lines = [line.split(b": ", 1) for line in refusal.head.splitlines()]
    problem, headers = Problem.model_validate_json(refusal.body), Headers(raw=[(name, value) for name, value in lines])
    assert (refusal.status, problem.status, problem.code, problem.request_id) == (503, 503, "overloaded", "mine")
    assert (headers["Retry-After"], headers["X-Request-ID"]) == ("4", "mine")
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert counted.answers == [("POST", "/api/v1/images", 503)]


def test_what_the_app_must_answer_is_not_shed() -> None:
    ending = Draining()
    ending.begin()
    counted = Counted()
    shed = _shedding(counted)
    assert shed(_scope(deadline_ms="20000")) is None
    assert shed(_scope(deadline_ms="soon")) is None
    assert shed(_scope(method="GET")) is None
    assert _shedding(counted, draining=ending)(_scope()) is None
    assert _shedding(counted, origins=["https://a.example"])(_scope(Origin="https://a.example")) is None
    assert counted.answers == []


async def test_what_was_let_in_takes_a_place_until_its_answer() -> None:
    refusals = UploadRefusals(Full(), longest_deadline_s=30)  # type: ignore[arg-type]
    shed = UploadShedding(refusals, metrics=Counted(), draining=Draining(), allowed_origins=())  # type: ignore[arg-type]

    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        assert refusals.of(scope) is None  # its own place is no other's
        raise RuntimeError("it breaks")

    first, second = _scope(deadline_ms="20000"), _scope(deadline_ms="20000")
    assert shed(first) is None
    assert shed(second) is None
    assert shed(_scope(deadline_ms="20000")) is not None
    with pytest.raises(RuntimeError):
        await UploadCounting(fail, refusals=refusals)(first, None, None)  # type: ignore[arg-type]
    assert shed(_scope(deadline_ms="20000")) is None
