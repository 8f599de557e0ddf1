"""Speak HTTP: one image in the body, one ClassificationAnswer back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request

from classify_service.classification import Classification
from shared.body import read_image_body
from shared.contracts import ClassificationAnswer
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
from shared.status_contracts import ServedModel

_IMAGE_BODY = {
    "requestBody": {"required": True, "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}
}


def classification_routes(
    classification: Classification, *, longest_deadline_s: float, body_limit_bytes: int
) -> APIRouter:
    """Return the routes of the internal API."""
    router = APIRouter(prefix="/v1", tags=["classifications"])

    @router.post(
        "/classifications",
        openapi_extra=_IMAGE_BODY,
        response_model_exclude_none=True,
        responses=problem_responses(
            BadRequest, ImageTooLarge, UnsupportedImage, BrokenImage, Overloaded, DeadlineExceeded
        ),
    )
    async def classify(
        request: Request,
        explain: Annotated[bool, Query(description="Tell what speaks for the best label, too.")] = False,
        deadline_ms: Annotated[str | None, Header(alias=DEADLINE_HEADER)] = None,
        is_background: IsBackground = False,
    ) -> ClassificationAnswer:
        """Label one image, sent as the body: JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC or AVIF."""
        deadline = Deadline.from_header(deadline_ms, longest_s=longest_deadline_s)
        image = await read_image_body(request, limit_bytes=body_limit_bytes, deadline=deadline)
        return await classification.classify(image, deadline=deadline, explain=explain, is_background=is_background)

    @router.get("/model", responses=problem_responses(Overloaded))
    async def model() -> ServedModel:
        """Tell which model is served, and what was measured of it."""
        return classification.served

    return router
