"""classify-service's HTTP with a classifier that needs no network."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from classify_service.app import create_app
from classify_service.classification import LoadedModel
from classify_service.model.preprocessing import DamagedImage, TooManyPixels, UnknownFormat, UnreadableImage
from classify_service.settings import ClassifySettings
from shared.app import StartupError
from shared.contracts import ClassificationAnswer, ModelName
from shared.errors import Problem
from tests.fakes import ExplainingClassifier, FakeClassifier, FakeScore
from tests.pictures import photo_bytes

MODEL = ModelName(name="fake", version="1")


class RefusingClassifier(FakeClassifier):
    """Finds every image unreadable in the same way."""

    def __init__(self, error: UnreadableImage) -> None:
        super().__init__()
        self._error = error

    def look_at(self, source: bytes) -> bytes:
        raise self._error


class SlowClassifier(FakeClassifier):
    """Answers once it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked = threading.Event()
        self.release = threading.Event()

    def scores_of_all(self, seen: Sequence[bytes]) -> Sequence[Sequence[FakeScore]]:
        self.is_asked.set()
        self.release.wait(10)
        return super().scores_of_all(seen)


def _app(classifier: FakeClassifier) -> FastAPI:
    settings = ClassifySettings(body_limit_bytes=10_000, waiting=0)
    return create_app(settings, load=lambda: LoadedModel(classifier, MODEL))


def _http(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://classify")


@pytest.fixture
def classifier() -> FakeClassifier:
    return FakeClassifier("photo", 0.8)


@pytest.fixture
async def client(classifier: FakeClassifier) -> AsyncIterator[httpx.AsyncClient]:
    app = _app(classifier)
    async with app.router.lifespan_context(app), _http(app) as client:
        yield client


async def _problem(classifier: FakeClassifier, body: bytes) -> tuple[int, Problem]:
    app = _app(classifier)
    async with app.router.lifespan_context(app), _http(app) as client:
        response = await client.post("/v1/classifications", content=body)
    return response.status_code, Problem.model_validate_json(response.content)


async def test_an_image_is_answered_with_every_label_best_first(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/classifications", content=photo_bytes())
    answer = ClassificationAnswer.model_validate_json(response.content)
    assert answer.label == "photo"
    assert [(each.value, each.confidence) for each in answer.labels] == [("photo", 0.8), ("meme", 0.2)]
    assert answer.model == MODEL


async def test_a_best_label_under_the_threshold_is_unclassified() -> None:
    app = _app(FakeClassifier("photo", 0.45))
    async with app.router.lifespan_context(app), _http(app) as client:
        answer = (await client.post("/v1/classifications", content=photo_bytes())).json()
    assert (answer["label"], answer["labels"][0]["value"]) == ("unclassified", "photo")


async def test_an_explanation_comes_only_when_it_is_asked_for() -> None:
    app = _app(ExplainingClassifier("photo", 0.45))
    async with app.router.lifespan_context(app), _http(app) as client:
        plain = (await client.post("/v1/classifications", content=photo_bytes())).json()
        explained = (await client.post("/v1/classifications?explain=true", content=photo_bytes())).content
    assert "explanation" not in plain
    evidence = ClassificationAnswer.model_validate_json(explained).explanation
    assert evidence
    assert (evidence.label, evidence.words) == ("photo", "almost no colour")
    assert [(feature.name, feature.weight) for feature in evidence.features] == [("saturation_mean", 0.4)]
    assert evidence.map == np.eye(9).tolist()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (UnknownFormat("no image"), 415, "unsupported_image"),
        (TooManyPixels("too many"), 413, "image_too_large"),
        (DamagedImage("cut off"), 422, "broken_image"),
    ],
)
async def test_an_image_that_cannot_be_read_is_refused_in_words(error: UnreadableImage, status: int, code: str) -> None:
    answered, problem = await _problem(RefusingClassifier(error), photo_bytes())
    assert (answered, problem.code, problem.detail) == (status, code, str(error))
    assert problem.request_id


async def test_a_body_over_the_limit_is_refused(classifier: FakeClassifier) -> None:
    status, problem = await _problem(classifier, b"x" * 10_001)
    assert (status, problem.code) == (413, "image_too_large")


async def test_an_empty_body_is_no_image(classifier: FakeClassifier) -> None:
    status, problem = await _problem(classifier, b"")
    assert (status, problem.code) == (415, "unsupported_image")


async def test_a_deadline_must_be_a_number(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/classifications", content=photo_bytes(), headers={"X-Deadline-Ms": "soon"})
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


async def test_a_deadline_that_passes_is_answered_504() -> None:
    slow = SlowClassifier()
    app = _app(slow)
    async with app.router.lifespan_context(app), _http(app) as client:
        late = await client.post("/v1/classifications", content=photo_bytes(), headers={"X-Deadline-Ms": "50"})
        slow.release.set()
    assert (late.status_code, late.json()["code"]) == (504, "deadline_exceeded")


async def test_one_image_too_many_is_refused_at_once() -> None:
    slow = SlowClassifier()
    app = _app(slow)
    async with app.router.lifespan_context(app), _http(app) as client:
        first = asyncio.create_task(client.post("/v1/classifications", content=photo_bytes()))
        while not slow.is_asked.is_set():
            await asyncio.sleep(0.01)
        refused = await client.post("/v1/classifications", content=photo_bytes())
        slow.release.set()
        assert (await first).status_code == 200
    assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
    assert "Retry-After" in refused.headers


async def test_the_service_is_ready_while_it_has_its_model(classifier: FakeClassifier) -> None:
    app = _app(classifier)
    async with _http(app) as client:
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/health/ready")).status_code == 503
        async with app.router.lifespan_context(app):
            ready = await client.get("/health/ready")
            assert (ready.status_code, ready.json()["models"]) == (200, [MODEL.model_dump()])
        assert (await client.get("/health/ready")).status_code == 503


async def test_inference_is_timed_and_counted_as_triton_does(client: httpx.AsyncClient) -> None:
    await client.post("/v1/classifications", content=photo_bytes())
    told = (await client.get("/metrics")).text
    assert "inference_duration_seconds_count 1.0" in told
    assert 'nv_inference_request_success{model="fake",version="1"} 1.0' in told
    assert 'nv_inference_request_failure{model="fake",reason="OTHER",version="1"} 0.0' in told
    assert 'nv_inference_pending_request_count{model="fake",version="1"} 0.0' in told


async def test_the_model_that_is_served_is_told(client: httpx.AsyncClient) -> None:
    told = (await client.get("/v1/model")).json()
    assert told == {"name": "fake", "version": "1", "kind": "classifier", "measured": {}}


async def test_a_folder_that_is_no_model_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    app = create_app(ClassifySettings(model=tmp_path))
    with pytest.raises(StartupError, match=r"is not a model: it has no manifest.json"):
        async with app.router.lifespan_context(app):
            pass


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLASSIFY_MODEL", str(tmp_path))
    monkeypatch.setenv("CLASSIFY_WAITING", "3")
    settings = ClassifySettings()
    assert (settings.model, settings.waiting, settings.port) == (tmp_path, 3, 8002)
