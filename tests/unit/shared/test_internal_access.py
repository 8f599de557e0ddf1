"""A service that has a token answers only to who shows it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from caption_service.app import create_app as create_caption
from caption_service.settings import CaptionSettings
from gateway.clients import health_of
from gateway.settings import GatewaySettings
from shared.deadline import Deadline
from shared.errors import UpstreamFailed
from shared.http_client import ServiceClient
from shared.settings import START_FAILED_EXIT_CODE

TOKEN = "t" * 40


def _reach(**headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_caption(CaptionSettings(internal_token=TOKEN)))
    return httpx.AsyncClient(transport=transport, base_url="http://caption", headers=headers)


@pytest.mark.parametrize(
    ("shown", "challenge"),
    [
        ({}, 'Bearer realm="legenda"'),
        ({"Authorization": f"Bearer {TOKEN}x"}, 'Bearer realm="legenda", error="invalid_token"'),
        ({"Authorization": "Bearer ä"}, 'Bearer realm="legenda", error="invalid_token"'),
        ({"Authorization": f"Basic {TOKEN}"}, 'Bearer realm="legenda"'),
    ],
)
async def test_whoever_shows_no_token_or_another_is_refused(shown: dict[str, str], challenge: str) -> None:
    async with _reach(**{name: value.encode() for name, value in shown.items()}) as client:
        for path in ("/v1/captions", "/docs", "/openapi.json", "/nothing", "/metrics/", "/healthy"):
            response = await client.post(path, content=b"image")
            assert (response.status_code, response.headers["content-type"]) == (401, "application/problem+json"), path
            assert response.headers["WWW-Authenticate"] == challenge
            assert response.json()["code"] == "key_missing"
            assert response.json()["request_id"] == response.headers["X-Request-ID"] != ""


async def test_the_token_opens_and_probes_need_none() -> None:
    async with _reach(Authorization=f"bearer {TOKEN}") as client:
        assert (await client.post("/nothing")).status_code == 404
    async with _reach() as client:
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/v2/health/live")).status_code == 200
        metrics = await client.get("/metrics")
        assert metrics.status_code == 200
        await client.get("/v1/captions")
        assert (
            'http_requests_total{method="GET",route="unknown",status="401"} 1.0' in (await client.get("/metrics")).text
        )


async def test_a_caller_with_another_token_is_told_what_to_set() -> None:
    service = ServiceClient("caption", _reach(Authorization="Bearer other"))
    with pytest.raises(UpstreamFailed, match="give both the same LEGENDA_INTERNAL_TOKEN"):
        await service.send("POST", "/v1/captions", deadline=Deadline.after(10))
    with pytest.raises(UpstreamFailed, match="failed with status 503"):  # open, so it is not the token that is missing
        await health_of(service, deadline=Deadline.after(10))


def test_the_token_may_lie_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("LEGENDA_INTERNAL_TOKEN_FILE", str(tmp_path / "token"))
    assert GatewaySettings().shown_token == CaptionSettings().shown_token == TOKEN


@pytest.mark.parametrize("content", ["", "short", "two words " * 5, "\xe4" * 40])
def test_a_token_that_cannot_be_one_is_refused_and_never_printed(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "token").write_text(content, encoding="utf-8")
    monkeypatch.setenv("LEGENDA_INTERNAL_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(SystemExit) as ended:
        CaptionSettings()
    assert ended.value.code == START_FAILED_EXIT_CODE
    assert "LEGENDA_INTERNAL_TOKEN_FILE is" in (said := capsys.readouterr().err)
    assert not content or content not in said

    monkeypatch.delenv("LEGENDA_INTERNAL_TOKEN_FILE")
    monkeypatch.setenv("LEGENDA_INTERNAL_TOKEN", content or "x")
    with pytest.raises(SystemExit):
        CaptionSettings()
    assert (content or "'x'") not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "exposed"), [("127.0.0.1", False), ("::1", False), ("localhost", False), ("0.0.0.0", True), ("ml", True)]
)
def test_an_address_that_others_reach_is_known_for_one(host: str, exposed: bool) -> None:
    assert CaptionSettings(host=host).is_exposed == exposed
    assert not CaptionSettings(host=host, internal_token=TOKEN).is_exposed
