from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.types import Receive, Scope, Send

from gateway.upload_admission import UploadAdmission
from shared.deadline import Deadline
from shared.errors import Overloaded
from shared.telemetry import LOGGED


class Full:
    """Has no room for what has less than ten seconds."""

    def require_room(self, *, deadline: Deadline) -> None:
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
        self._inner = UploadAdmission(routed, uploads=Full(), longest_deadline_s=30)  # type: ignore[arg-type]

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
