"""The service's HTTP: one call that takes an image and answers with sentences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request

from caption_service.captioning import Captioning
from shared.body import read_image_body
from shared.contracts import CaptionAnswer
from shared.deadline import DEADLINE_HEADER, Deadline
from shared.errors import (
    BadRequest,
    BrokenImage,
    DeadlineExceeded,
    ImageTooLarge,
    Overloaded,
    UnsupportedImage,
    problem_responses,
)
from shared.priority import IsBackground
from shared.status_contracts import ServedModel, served

IMAGE_BODY = {
    "requestBody": {
        "required": True,
        "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def caption_routes(
    captioning: Callable[[], Captioning], *, body_limit_bytes: int, longest_deadline_s: float
) -> APIRouter:
    """Return the routes; `captioning` gives what answers once the model is loaded."""
    router = APIRouter(prefix="/v1", tags=["captions"])

    @router.post(
        "/captions",
        openapi_extra=IMAGE_BODY,
        response_model_exclude_none=True,
        responses=problem_responses(
            BadRequest, ImageTooLarge, UnsupportedImage, BrokenImage, Overloaded, DeadlineExceeded
        ),
    )
    async def describe(
        request: Request,
        embedding: Annotated[bool, Query(description="Give the picture's embedding, too.")] = False,
        attention: Annotated[bool, Query(description="Tell where the model looked for each word, too.")] = False,
        deadline_ms: Annotated[str | None, Header(alias=DEADLINE_HEADER)] = None,
        is_background: IsBackground = False,
    ) -> CaptionAnswer:
        """Describe the image in the body in a sentence, and otherwise said, best first."""
        deadline = Deadline.from_header(deadline_ms, longest_s=longest_deadline_s)
        image = await read_image_body(request, limit_bytes=body_limit_bytes, deadline=deadline)
        return await captioning().describe(
            image, deadline=deadline, embedding=embedding, attention=attention, is_background=is_background
        )

    @router.get("/model", responses=problem_responses(Overloaded))
    async def model() -> ServedModel:
        """Tell which model is served, and what was measured of it."""
        return served(captioning().manifest)

    return router
