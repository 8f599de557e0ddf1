"""The status is told whoever is away, and however many ask, the services are asked once."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx

from gateway.status import StatusTeller
from gateway.upstreams import Upstreams
from shared.contracts import Health
from shared.http_client import ServiceClient
from shared.status_contracts import PlatformStatus, ServedModel, StorageStatus

MODEL = ServedModel(name="eye", version="1", kind="captioner", measured={"cider": 0.5})


def _teller(*, storage_is_there: bool) -> tuple[StatusTeller, Counter[str]]:
    asked: Counter[str] = Counter()
    oldest = datetime.now(UTC) - timedelta(minutes=5)
    kept = StorageStatus(
        images=3, stored_bytes=9, pending=1, failed=0, oldest_pending_at=oldest, described_a_minute=[0] * 60
    )

    def answer(request: httpx.Request) -> httpx.Response:
        asked[str(request.url)] += 1
        if request.url.host == "classify" or (request.url.host == "storage" and not storage_is_there):
            raise httpx.ConnectError("away", request=request)
        told = kept if request.url.host == "storage" else MODEL
        return httpx.Response(200, content=told.model_dump_json())

    services = [
        ServiceClient(name, httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url=f"http://{name}"))
        for name in ("caption", "classify", "storage")
    ]
    own = Health(status="starting", service="gateway", version="1")
    return StatusTeller(Upstreams(services), lambda: own, models=services[:2], storage=services[2]), asked


async def test_what_is_known_is_told_though_a_model_is_away() -> None:
    status = await _teller(storage_is_there=True)[0].tell()
    assert [(service.name, service.models) for service in status.services] == [
        ("gateway", []),
        ("caption", [MODEL]),
        ("classify", []),
        ("storage", []),
    ]
    assert status.storage
    assert status.storage.images == 3
    assert status.oldest_pending_s
    assert 300 <= status.oldest_pending_s < 400
    assert PlatformStatus.model_validate_json(status.model_dump_json()) == status


async def test_without_storage_its_part_is_null() -> None:
    status = await _teller(storage_is_there=False)[0].tell()
    assert (status.storage, status.oldest_pending_s) == (None, None)


async def test_many_who_ask_at_once_cost_one_question() -> None:
    teller, asked = _teller(storage_is_there=True)
    await asyncio.gather(*(teller.tell() for _ in range(20)))
    assert asked == {
        "http://caption/v1/model": 1,
        "http://classify/v1/model": 1,
        "http://storage/v1/status": 1,
    }
