"""Both model services answer by the Open Inference Protocol what they answer by their own, and refuse the same."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from caption_service.app import create_app as create_caption
from caption_service.settings import CaptionSettings
from classify_service.app import create_app as create_classify
from classify_service.classification import LoadedModel
from classify_service.model.preprocessing import read_picture
from classify_service.settings import ClassifySettings
from shared.errors import Overloaded
from tests.fakes import MODEL, ExplainingClassifier, FakeCaptioner
from tests.pictures import photo_bytes

CAPTION, CLASSIFY = "/v1/captions", "/v1/classifications"


class ReadingClassifier(ExplainingClassifier):
    """Says the same of every image that can be read."""

    def look_at(self, source: bytes) -> bytes:
        read_picture(source)
        return source


@dataclass(frozen=True)
class Services:
    captioner: FakeCaptioner
    clients: dict[str, httpx.AsyncClient]

    async def infer(self, own_call: str, images: list[bytes], **headers: str) -> httpx.Response:
        """Ask the service that has `own_call` by the protocol."""
        data = [base64.b64encode(image).decode() for image in images]
        tensor = {"name": "image", "shape": [len(images)], "datatype": "BYTES", "data": data}
        return await self.clients[own_call].post(
            "/v2/models/fake/infer", json={"id": "42", "inputs": [tensor]}, headers=headers
        )


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    captioner, classifier = FakeCaptioner("a dog runs"), ReadingClassifier("photo")
    apps = {
        CAPTION: create_caption(CaptionSettings(body_limit_bytes=300_000), lambda: captioner),
        CLASSIFY: create_classify(
            ClassifySettings(body_limit_bytes=300_000), load=lambda: LoadedModel(classifier, MODEL)
        ),
    }
    async with AsyncExitStack() as stack:
        clients = {}
        for call, app in apps.items():
            await stack.enter_async_context(app.router.lifespan_context(app))
            clients[call] = await stack.enter_async_context(_reach(app))
        yield Services(captioner, clients)


def _reach(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")


def _outputs(answer: dict[str, Any]) -> dict[str, tuple[list[int], list[Any]]]:
    return {each["name"]: (each["shape"], each["data"]) for each in answer["outputs"]}


async def test_two_images_get_the_captions_that_each_gets_alone(services: Services) -> None:
    own = (await services.clients[CAPTION].post(CAPTION, content=photo_bytes())).json()
    answer = (await services.infer(CAPTION, [photo_bytes(), photo_bytes()])).json()
    assert (answer["id"], answer["model_name"], answer["model_version"]) == ("42", "fake", "1")
    assert _outputs(answer) == {
        "captions": ([2, 2], [each["value"] for each in own["captions"]] * 2),
        "confidences": ([2, 2], [each["confidence"] for each in own["captions"]] * 2),
    }


async def test_an_image_gets_the_labels_that_it_gets_by_our_own_call(services: Services) -> None:
    own = (await services.clients[CLASSIFY].post(CLASSIFY, content=photo_bytes())).json()
    answer = (await services.infer(CLASSIFY, [photo_bytes()])).json()
    count = len(own["labels"])
    assert _outputs(answer) == {
        "label": ([1, 1], [own["label"]]),
        "labels": ([1, count], [each["value"] for each in own["labels"]]),
        "confidences": ([1, count], [each["confidence"] for each in own["labels"]]),
    }


@pytest.mark.parametrize("call", [CAPTION, CLASSIFY])
async def test_the_server_and_its_model_are_described_and_ready(services: Services, call: str) -> None:
    client = services.clients[call]
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/fake/ready", "/v2/models/fake/versions/1/ready"):
        assert (await client.get(path)).status_code == 200, path
    assert (await client.get("/v2")).json()["name"].startswith("legenda-")
    described = (await client.get("/v2/models/fake/versions/1")).json()
    assert described == (await client.get("/v2/models/fake")).json()
    assert described["inputs"] == [{"name": "image", "datatype": "BYTES", "shape": [-1]}]
    given = (await services.infer(call, [photo_bytes()])).json()["outputs"]
    assert [(each["name"], each["datatype"]) for each in given] == [
        (each["name"], each["datatype"]) for each in described["outputs"]
    ]


@pytest.mark.parametrize("call", [CAPTION, CLASSIFY])
async def test_what_our_own_call_refuses_is_refused_alike_and_tells_which_image(services: Services, call: str) -> None:
    own = (await services.clients[call].post(call, content=b"no image")).json()
    refused = await services.infer(call, [photo_bytes(), b"no image"])
    told = refused.json()
    assert (refused.status_code, told["code"]) == (own["status"], own["code"])
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["X-Request-ID"] == told["request_id"]
    assert told["error"] == told["detail"] == f"image 2: {own['detail']}"


@pytest.mark.parametrize("call", [CAPTION, CLASSIFY])
async def test_bounds_are_those_of_our_own_call(services: Services, call: str) -> None:
    large = await services.infer(call, [b"x" * 300_000, b"x" * 100_000])
    assert (large.status_code, large.json()["code"]) == (413, "image_too_large")
    late = await services.infer(call, [photo_bytes()], **{"X-Deadline-Ms": "soon"})
    assert (late.status_code, late.json()["code"]) == (400, "bad_request")
    empty = await services.clients[call].post("/v2/models/fake/infer")
    assert (empty.status_code, empty.json()["error"]) == (
        400,
        "the body is empty; it must be an inference request in JSON",
    )


async def test_a_full_queue_is_told_with_the_time_to_wait(services: Services) -> None:
    services.captioner.error = Overloaded("captioning already has 17 jobs")
    refused = await services.infer(CAPTION, [photo_bytes()])
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")


@pytest.mark.parametrize("path", ["/v2/models/other", "/v2/models/fake/versions/2/ready"])
async def test_another_model_is_not_found(services: Services, path: str) -> None:
    refused = await services.clients[CAPTION].get(path)
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert "this service has fake, version 1" in refused.json()["error"]


async def test_a_service_that_is_being_stopped_is_not_ready() -> None:
    app = create_caption(CaptionSettings(), FakeCaptioner)
    async with app.router.lifespan_context(app), _reach(app) as client:
        assert (await client.get("/v2/health/ready")).status_code == 200
        app.state.draining.begin()
        ready = await client.get("/v2/health/ready")
        assert (ready.status_code, ready.json()) == (503, {"live": True, "ready": False})


async def test_before_the_model_is_loaded_it_is_not_ready() -> None:
    app = create_caption(CaptionSettings(), FakeCaptioner)
    async with _reach(app) as client:
        ready = await client.get("/v2/health/ready")
        assert (ready.status_code, ready.json()) == (503, {"live": True, "ready": False})
        assert (await client.get("/v2/models/fake/ready")).status_code == 503
