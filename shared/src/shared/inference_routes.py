"""Speak the Open Inference Protocol, version 2, for a service with one model.

Both model services use these routes beside their own `/v1`. A request's images pass, as many at once as run together,
through the same queue with the same bounds and within the same deadline as there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from shared.body import read_image_body
from shared.contracts import Health, ModelName
from shared.deadline import DEADLINE_HEADER, Deadline
from shared.errors import (
    PROBLEM_MEDIA_TYPE,
    BadRequest,
    BrokenImage,
    DeadlineExceeded,
    ImageTooLarge,
    NotFound,
    Overloaded,
    ServiceError,
    UnsupportedImage,
    problem_response,
    problem_responses,
)
from shared.image_tensors import Row, read_images, read_request, stacked, wanted_outputs
from shared.inference_contracts import (
    INPUT,
    MOST_IMAGES,
    InferenceResponse,
    ModelMetadata,
    ModelReady,
    ServerLive,
    ServerMetadata,
    ServerReady,
    TensorDescription,
)

PLATFORM = "keras"
ROOM_FOR_JSON_BYTES = 64 * 1024
_INPUTS = [TensorDescription(name=INPUT, datatype="BYTES", shape=[-1])]
_EXAMPLE = {"inputs": [{"name": INPUT, "shape": [1], "datatype": "BYTES", "data": ["/9j/4AAQSkZJRg=="]}]}
_TENSOR = {
    "type": "object",
    "required": ["name", "shape", "datatype", "data"],
    "properties": {
        "name": {"enum": [INPUT]},
        "shape": {"type": "array", "items": {"type": "integer"}, "description": "[images] or [images, 1]."},
        "datatype": {"enum": ["BYTES"]},
        "data": {"type": "array", "maxItems": MOST_IMAGES, "description": "Each image's file in base64."},
    },
}
_REQUEST_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["inputs"],
                    "properties": {
                        "id": {"type": "string"},
                        "inputs": {"type": "array", "items": _TENSOR, "minItems": 1, "maxItems": 1},
                        "outputs": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {"name": {"type": "string"}},
                            },
                        },
                    },
                },
                "example": _EXAMPLE,
            }
        },
    }
}


@dataclass(frozen=True)
class ServedModel:
    """What a service offers by this protocol."""

    readiness: Callable[[], Health]
    """Names the model once it is loaded."""
    outputs: Sequence[TensorDescription]
    infer: Callable[[bytes, Deadline], Awaitable[Mapping[str, Row]]]
    """Says of one encoded image a row for each output."""
    images_at_once: int = 1
    """Images of one request that are asked about at the same time."""


def inference_routes(served: ServedModel, *, body_limit_bytes: int, longest_deadline_s: float) -> APIRouter:
    """Return the routes below `/v2`.

    Args:
        served: The model.
        body_limit_bytes: Most bytes of all images of a request, before base64.
        longest_deadline_s: Deadline when the caller names none.
    """
    router = APIRouter(prefix="/v2", tags=["open inference protocol"], route_class=_ProtocolRoute)
    limit_bytes = body_limit_bytes * 4 // 3 + ROOM_FOR_JSON_BYTES

    @router.get("/health/live")
    async def live() -> ServerLive:
        """The process is up."""
        return ServerLive()

    @router.get("/health/ready", responses={503: {"model": ServerReady}})
    async def ready(request: Request, response: Response) -> ServerReady:
        """The model is loaded; 503 while it is not, and as soon as the service is being stopped."""
        is_ready = served.readiness().status == "ready" and not request.app.state.draining.has_begun
        response.status_code = 200 if is_ready else 503
        return ServerReady(ready=is_ready)

    @router.get("")
    async def server() -> ServerMetadata:
        """Which server this is."""
        health = served.readiness()
        return ServerMetadata(name=f"legenda-{health.service}", version=health.version)

    @router.get("/models/{name}/ready", responses=problem_responses(NotFound))
    @router.get("/models/{name}/versions/{version}/ready", responses=problem_responses(NotFound))
    async def model_ready(name: str, version: str | None = None) -> ModelReady:
        """Whether the model of that name is loaded."""
        return ModelReady(name=_model(served, name, version).name, ready=True)

    @router.get("/models/{name}", responses=problem_responses(NotFound))
    @router.get("/models/{name}/versions/{version}", responses=problem_responses(NotFound))
    async def model(name: str, version: str | None = None) -> ModelMetadata:
        """What the model takes and gives."""
        found = _model(served, name, version)
        return ModelMetadata(
            name=found.name, versions=[found.version], platform=PLATFORM, inputs=_INPUTS, outputs=list(served.outputs)
        )

    failures = problem_responses(
        BadRequest, NotFound, ImageTooLarge, UnsupportedImage, BrokenImage, Overloaded, DeadlineExceeded
    )
    described: dict[str, Any] = {
        "responses": failures,
        "openapi_extra": _REQUEST_BODY,
        "response_model_exclude_none": True,
    }

    @router.post("/models/{name}/infer", **described)
    @router.post("/models/{name}/versions/{version}/infer", **described)
    async def infer(
        request: Request,
        name: str,
        version: str | None = None,
        deadline_ms: Annotated[str | None, Header(alias=DEADLINE_HEADER)] = None,
    ) -> InferenceResponse:
        """Look at 1 to 32 images; each output has a row for each."""
        deadline = Deadline.from_header(deadline_ms, longest_s=longest_deadline_s)
        found = _model(served, name, version)
        body = await _read_body(request, limit_bytes=limit_bytes, deadline=deadline)
        asked = await asyncio.to_thread(read_request, body)
        wanted = wanted_outputs(asked, served.outputs)
        said = await _said_of_all(served, await asyncio.to_thread(read_images, asked), deadline)
        return InferenceResponse(
            model_name=found.name,
            model_version=found.version,
            id=asked.id,
            outputs=[stacked(each, said) for each in wanted],
        )

    return router


async def _said_of_all(served: ServedModel, images: Sequence[bytes], deadline: Deadline) -> list[Mapping[str, Row]]:
    """Return the rows of each image; the first image that fails fails all."""
    said: list[Mapping[str, Row]] = []
    while len(said) < len(images):
        together = images[len(said) : len(said) + served.images_at_once]
        rows = await asyncio.gather(*(served.infer(image, deadline) for image in together), return_exceptions=True)
        for row in rows:
            if isinstance(row, ServiceError):
                row.detail = f"image {len(said) + 1}: {row.detail}"
            if isinstance(row, BaseException):
                raise row
            said.append(row)
    return said


def _model(served: ServedModel, name: str, version: str | None) -> ModelName:
    """Return the loaded model, if it is the one that is asked for.

    Raises:
        Overloaded: none is loaded yet.
        NotFound: it has another name or version.
    """
    models = served.readiness().models
    if not models:
        raise Overloaded("the model is still being loaded")
    for model in models:
        if model.name == name and version in (None, model.version):
            return model
    there = ", ".join(f"{model.name}, version {model.version}" for model in models)
    asked = name if version is None else f"{name}, version {version}"
    raise NotFound(f"there is no model {asked}; this service has {there}")


async def _read_body(request: Request, *, limit_bytes: int, deadline: Deadline) -> bytes:
    try:
        return await read_image_body(request, limit_bytes=limit_bytes, deadline=deadline)
    except UnsupportedImage as error:
        raise BadRequest("the body is empty; it must be an inference request in JSON") from error


class _ProtocolRoute(APIRoute):
    """A route whose failures carry the protocol's `error` beside our own fields."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        answer = super().get_route_handler()

        async def answer_in_protocol(request: Request) -> Response:
            try:
                return await answer(request)
            except ServiceError as error:
                return _failure(error)

        return answer_in_protocol


def _failure(error: ServiceError) -> JSONResponse:
    plain = problem_response(
        status=error.status, code=error.code, title=error.title, detail=error.detail, headers=error.headers
    )
    headers = {**error.headers, "X-Request-ID": plain.headers["X-Request-ID"]}
    body = {**json.loads(bytes(plain.body)), "error": error.detail}
    return JSONResponse(body, status_code=error.status, headers=headers, media_type=PROBLEM_MEDIA_TYPE)
