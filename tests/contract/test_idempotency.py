"""Idempotency-Key through the gateway and the real storage, in process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from caption_service.app import create_app as create_caption
from caption_service.settings import CaptionSettings
from classify_service.app import create_app as create_classify
from classify_service.classification import LoadedModel
from classify_service.settings import ClassifySettings
from gateway.app import create_app as create_gateway
from gateway.settings import GatewaySettings
from shared.errors import Problem
from storage_service.app import create_app as create_storage
from storage_service.settings import StorageSettings
from tests.contract.test_gateway_and_services import _reach
from tests.fakes import MODEL, ExplainingClassifier, FakeCaptioner
from tests.pictures import photo_bytes


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway before the real storage and models that need no network."""
    captioner, classifier = FakeCaptioner("a dog"), ExplainingClassifier("photo")
    behind = {
        "caption_http": create_caption(CaptionSettings(), lambda: captioner),
        "classify_http": create_classify(ClassifySettings(), load=lambda: LoadedModel(classifier, MODEL)),
        "storage_http": create_storage(
            StorageSettings(
                database_url=f"sqlite+aiosqlite:///{tmp_path}/legenda.sqlite3",
                store_url=f"file://{tmp_path}/store",
                index_dir=tmp_path / "index",
            )
        ),
    }
    gateway = create_gateway(GatewaySettings(), **{name: _reach(app) for name, app in behind.items()})
    async with AsyncExitStack() as stack:
        for app in (*behind.values(), gateway):
            await stack.enter_async_context(app.router.lifespan_context(app))
        yield await stack.enter_async_context(_reach(gateway))


async def _upload(client: httpx.AsyncClient, key: str, image: bytes, name: str = "dog.jpg") -> httpx.Response:
    return await client.post("/api/v1/images", files={"file": (name, image)}, headers={"Idempotency-Key": key})


async def test_an_upload_sent_again_gets_the_same_answer(client: httpx.AsyncClient) -> None:
    first, again = await _upload(client, "k1", photo_bytes()), await _upload(client, '"k1"', photo_bytes())
    assert (first.status_code, again.status_code) == (201, 201)  # without a key it would be 200
    assert first.content == again.content
    assert first.headers["Location"] == again.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await client.delete(first.headers["Location"])).status_code == 204
    assert (await _upload(client, "k1", photo_bytes())).status_code == 201
    assert (await client.get(first.headers["Location"])).status_code == 404  # it was not done again


@pytest.mark.parametrize(("seed", "name"), [(1, "dog.jpg"), (0, "cat.jpg")])
async def test_a_key_for_another_upload_is_refused(client: httpx.AsyncClient, seed: int, name: str) -> None:
    assert (await _upload(client, "k", photo_bytes())).status_code == 201
    refused = await _upload(client, "k", photo_bytes(seed), name)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")


async def test_of_two_at_the_same_moment_one_is_told_to_wait(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(_upload(client, "k", photo_bytes()) for _ in range(4)))
    done = [answer for answer in answers if answer.status_code == 201]
    waiting = [answer for answer in answers if answer.status_code == 409]
    assert done
    assert len(done) + len(waiting) == 4
    for answer in waiting:
        assert Problem.model_validate_json(answer.content).code == "request_in_flight"
        assert int(answer.headers["Retry-After"]) >= 1
    assert len({answer.json()["id"] for answer in done}) == 1


async def test_a_refused_file_is_refused_again(client: httpx.AsyncClient) -> None:
    first, again = await _upload(client, "k", b"no picture"), await _upload(client, "k", b"no picture")
    assert (first.status_code, again.status_code) == (415, 415)
    assert first.content == again.content


async def test_a_key_that_is_none_is_refused_before_anything_is_read(client: httpx.AsyncClient) -> None:
    refused = await _upload(client, "two words", photo_bytes())
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")
