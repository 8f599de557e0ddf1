"""caption-service's HTTP with a captioner that needs no network."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence

import httpx
import numpy as np
import numpy.typing as npt
import pytest
from fastapi import FastAPI

from caption_service.app import create_app
from caption_service.settings import CaptionSettings
from shared.artifacts import ArtifactError
from shared.contracts import CaptionAnswer
from shared.errors import Problem
from tests.fakes import FakeCaption, FakeCaptioner
from tests.pictures import drawn_picture, encoded, photo_bytes


def _client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://caption")


@pytest.fixture
def captioner() -> FakeCaptioner:
    return FakeCaptioner("a red square")


@pytest.fixture
async def client(captioner: FakeCaptioner) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(CaptionSettings(body_limit_bytes=200_000, waiting=0), lambda: captioner)
    async with app.router.lifespan_context(app), _client(app) as client:
        yield client


async def test_an_image_is_answered_with_sentences_best_first(
    client: httpx.AsyncClient, captioner: FakeCaptioner
) -> None:
    response = await client.post("/v1/captions", content=photo_bytes())
    answer = CaptionAnswer.model_validate_json(response.content)
    assert [each.value for each in answer.captions] == ["a red square", "something red"]
    assert answer.model.name == "fake"
    assert captioner.shapes == [(1, 224, 224, 3)]


async def test_an_embedding_is_given_on_request_only(client: httpx.AsyncClient) -> None:
    without = await client.post("/v1/captions", content=photo_bytes())
    asked = await client.post("/v1/captions?embedding=true", content=photo_bytes())
    answer = CaptionAnswer.model_validate_json(asked.content)
    assert not {"embedding", "encoder"} & set(without.json())
    assert answer.embedding is not None
    assert answer.encoder == "fake-encoder@1"
    assert sum(number**2 for number in answer.embedding) == pytest.approx(1.0, abs=1e-3)
    assert answer.captions == CaptionAnswer.model_validate_json(without.content).captions


async def test_an_encoder_without_a_projection_says_so(client: httpx.AsyncClient, captioner: FakeCaptioner) -> None:
    captioner.has_embedding = False
    response = await client.post("/v1/captions?embedding=true", content=photo_bytes())
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")
    assert "no embedding" in response.json()["detail"]


async def test_where_the_model_looked_is_told_on_request_only(client: httpx.AsyncClient) -> None:
    without = await client.post("/v1/captions", content=photo_bytes())
    asked = await client.post("/v1/captions?attention=true&embedding=true", content=photo_bytes())
    answer = CaptionAnswer.model_validate_json(asked.content)
    assert "attention" not in without.json()
    assert answer.embedding is not None
    assert answer.attention is not None
    assert [each.word for each in answer.attention] == ["a", "red", "square"]
    assert sum(map(sum, answer.attention[0].weights)) == pytest.approx(1.0, abs=1e-2)


async def test_a_model_that_does_not_attend_says_so(client: httpx.AsyncClient, captioner: FakeCaptioner) -> None:
    captioner.attends = False
    response = await client.post("/v1/captions?attention=true", content=photo_bytes())
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")
    assert "as a whole" in response.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 415, "unsupported_image"),
        (b"hello", 415, "unsupported_image"),
        (encoded(drawn_picture(300, 300))[:900], 422, "broken_image"),
        (b"x" * 200_001, 413, "image_too_large"),
        (encoded(drawn_picture(8000, 8000), "PNG"), 413, "image_too_large"),
    ],
)
async def test_what_is_no_image_is_refused_in_words(
    client: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    response = await client.post("/v1/captions", content=body)
    problem = Problem.model_validate_json(response.content)
    assert (response.status_code, problem.code) == (status, code)


async def test_one_image_too_many_is_refused_at_once(client: httpx.AsyncClient, captioner: FakeCaptioner) -> None:
    is_asked, release = threading.Event(), threading.Event()
    describe = captioner.describe

    def describe_late(images: npt.NDArray[np.uint8]) -> Sequence[Sequence[FakeCaption]]:
        is_asked.set()
        release.wait(10)
        return describe(images)

    captioner.describe = describe_late  # type: ignore[method-assign]
    first = asyncio.create_task(client.post("/v1/captions", content=photo_bytes()))
    while not is_asked.is_set():
        await asyncio.sleep(0.01)

    refused = await client.post("/v1/captions", content=photo_bytes())
    release.set()

    assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
    assert "Retry-After" in refused.headers
    assert (await first).status_code == 200


async def test_a_deadline_that_passes_is_answered_504(client: httpx.AsyncClient, captioner: FakeCaptioner) -> None:
    release = threading.Event()
    captioner.describe = lambda images: release.wait(10)  # type: ignore[assignment]
    late = await client.post("/v1/captions", content=photo_bytes(), headers={"X-Deadline-Ms": "50"})
    release.set()
    assert (late.status_code, late.json()["code"]) == (504, "deadline_exceeded")


async def test_the_service_is_ready_once_its_model_is_loaded(captioner: FakeCaptioner) -> None:
    app = create_app(CaptionSettings(), lambda: captioner)
    async with _client(app) as client:
        assert (await client.get("/health/ready")).status_code == 503
        assert (await client.get("/health/live")).status_code == 200
        async with app.router.lifespan_context(app):
            ready = await client.get("/health/ready")
            assert (ready.status_code, ready.json()["models"]) == (200, [{"name": "fake", "version": "1"}])


async def test_what_it_does_is_counted_as_triton_does(client: httpx.AsyncClient) -> None:
    for query, content in (("", photo_bytes()), ("?embedding=true", photo_bytes()), ("", b"no image")):
        await client.post(f"/v1/captions{query}", content=content)
    told = (await client.get("/metrics")).text
    assert 'nv_inference_request_success{model="fake",version="1"} 2.0' in told
    assert 'nv_inference_request_failure{model="fake",reason="OTHER",version="1"} 1.0' in told
    assert 'nv_inference_pending_request_count{model="fake",version="1"} 0.0' in told


async def test_the_model_that_is_served_is_told_with_what_was_measured(
    client: httpx.AsyncClient, captioner: FakeCaptioner
) -> None:
    captioner.manifest.metrics.update(
        {"dev": {"cider": 0.5, "images": 1000}, "epochs": 3, "accuracy": 0.75, "by": "us"}
    )
    told = (await client.get("/v1/model")).json()
    assert told == {"name": "fake", "version": "1", "kind": "captioner", "measured": {"accuracy": 0.75, "cider": 0.5}}


async def test_a_broken_artifact_stops_the_start_with_its_sentence() -> None:
    from shared.app import StartupError

    def load() -> FakeCaptioner:
        raise ArtifactError("decoder.npz is missing")

    app = create_app(CaptionSettings(), load)
    with pytest.raises(StartupError, match=r"decoder\.npz is missing"):
        async with app.router.lifespan_context(app):
            pass
