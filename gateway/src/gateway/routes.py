"""The public API, version 1.

Annotations are evaluated here, not postponed: the deadline's dependency is made inside `public_routes`.
"""

import asyncio
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.datastructures import FormData, UploadFile

from gateway.clients import CaptionClient, ClassifyClient, StorageClient
from gateway.security_headers import STRANGERS_FILE
from gateway.uploads import Uploads
from shared.body import read_form, readable_size, shown_filename
from shared.contracts import (
    DEFAULT_PAGE_SIZE,
    MAX_PAGE_SIZE,
    Analysis,
    Correction,
    ImageAttention,
    ImageExplanation,
    ImagePage,
    ImageRecord,
    Label,
    LabelCount,
    Sort,
    Status,
)
from shared.deadline import DEADLINE_HEADER, Deadline
from shared.errors import (
    BadRequest,
    BrokenImage,
    DeadlineExceeded,
    ImageTooLarge,
    NotEmbedded,
    NotFound,
    Overloaded,
    UnsupportedImage,
    UpstreamFailed,
    problem_responses,
)
from shared.search_questions import (
    LabelledBy,
    LeastConfidence,
    MostConfidence,
    SearchText,
    StoredBefore,
    StoredSince,
)
from shared.similar_images import DEFAULT_SIMILAR, MAX_SIMILAR, SimilarImages

PREFIX = "/api/v1"
FORM_OVERHEAD_BYTES = 64 * 1024
"""Boundaries and headers around the file in a multipart body."""

NEVER_CHANGES = {"Cache-Control": "private, max-age=31536000, immutable"}
MAY_CHANGE = {"Cache-Control": "private, no-cache"}
HARMLESS = {"Content-Security-Policy": STRANGERS_FILE}

FILE_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}

BEHIND = problem_responses(BadRequest, UpstreamFailed, Overloaded, DeadlineExceeded)
UPLOAD = problem_responses(ImageTooLarge, UnsupportedImage, BrokenImage)
ONE_IMAGE = problem_responses(NotFound)
SIMILAR = problem_responses(NotEmbedded)
NO_WORDS_INSIDE = problem_responses(UnsupportedImage)


def public_routes(
    uploads: Uploads,
    captions: CaptionClient,
    classifications: ClassifyClient,
    storage: StorageClient,
    *,
    upload_limit_bytes: int,
    longest_deadline_s: float,
) -> APIRouter:
    """Return the routes of the public API."""
    router = APIRouter(prefix=PREFIX, responses=BEHIND)

    def _deadline(deadline_ms: Annotated[str | None, Header(alias=DEADLINE_HEADER)] = None) -> Deadline:
        return Deadline.from_header(deadline_ms, longest_s=longest_deadline_s)

    Within = Annotated[Deadline, Depends(_deadline)]  # noqa: N806  # it is a type

    @router.post(
        "/images",
        tags=["images"],
        status_code=201,
        openapi_extra=FILE_FORM,
        responses=UPLOAD | {200: {"model": ImageRecord, "description": "These bytes are known."}},
    )
    async def upload(request: Request, response: Response, deadline: Within) -> ImageRecord:
        """Keep an image: it is captioned, labelled, and filed under its label."""
        with uploads.admitted():
            image, filename = await _read_file(request, limit_bytes=upload_limit_bytes, deadline=deadline)
            record, is_new = await uploads.upload(image, filename, deadline=deadline)
        response.status_code = 201 if is_new else 200
        response.headers["Location"] = f"{PREFIX}/images/{record.id}"
        return record

    @router.post("/analyses", tags=["analyses"], openapi_extra=FILE_FORM, responses=UPLOAD)
    async def analyse(request: Request, deadline: Within) -> Analysis:
        """Try an image out: it is captioned and labelled, and nothing is kept."""
        with uploads.admitted():
            image, _ = await _read_file(request, limit_bytes=upload_limit_bytes, deadline=deadline)
            return await uploads.analyse(image, deadline=deadline)

    @router.get("/images", tags=["images"])
    async def page(  # noqa: PLR0917  # FastAPI fills them in by name
        deadline: Within,
        q: SearchText = "",
        label: Label | None = None,
        status: Status | None = None,
        source: LabelledBy = None,
        created_after: StoredSince = None,
        created_before: StoredBefore = None,
        min_confidence: LeastConfidence = None,
        max_confidence: MostConfidence = None,
        sort: Sort = "newest",
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)] = DEFAULT_PAGE_SIZE,
        cursor: Annotated[str | None, Query(max_length=500)] = None,
    ) -> ImagePage:
        """List images, a page at a time."""
        asked: dict[str, str | int | float | None] = {
            "q": q or None,
            "label": label,
            "status": status,
            "source": source,
            "created_after": None if created_after is None else created_after.isoformat(),
            "created_before": None if created_before is None else created_before.isoformat(),
            "min_confidence": min_confidence,
            "max_confidence": max_confidence,
            "sort": sort,
            "limit": limit,
            "cursor": cursor or None,
        }
        told = {name: value for name, value in asked.items() if value is not None}
        return await storage.page(told, deadline=deadline)

    @router.get("/images/{image_id}", tags=["images"], responses=ONE_IMAGE)
    async def get(image_id: UUID, deadline: Within) -> ImageRecord:
        """Return one image's record."""
        return await storage.get(image_id, deadline=deadline)

    @router.patch("/images/{image_id}", tags=["images"], responses=ONE_IMAGE)
    async def correct(image_id: UUID, correction: Correction, deadline: Within) -> ImageRecord:
        """Say it better: a person's label or caption stands above every model's."""
        return await storage.correct(image_id, correction, deadline=deadline)

    @router.delete("/images/{image_id}", tags=["images"], status_code=204, responses=ONE_IMAGE)
    async def delete(image_id: UUID, deadline: Within) -> None:
        """Forget an image, its files and its words."""
        await storage.delete(image_id, deadline=deadline)

    @router.get(
        "/images/{image_id}/content", tags=["images"], response_class=Response, responses=ONE_IMAGE | NO_WORDS_INSIDE
    )
    async def content(
        image_id: UUID,
        deadline: Within,
        metadata: Annotated[Literal["embedded"] | None, Query(description="A copy that carries its words.")] = None,
    ) -> Response:
        """Return the original bytes, or on demand a copy with caption and label inside, as XMP and IPTC."""
        if metadata == "embedded":
            body, media_type = await storage.embedded(image_id, deadline=deadline)
            return Response(body, media_type=media_type, headers=MAY_CHANGE | HARMLESS)
        body, media_type, named = await storage.named_file(image_id, "content", deadline=deadline)
        return Response(body, media_type=media_type, headers=NEVER_CHANGES | HARMLESS | named)

    @router.get("/images/{image_id}/preview", tags=["images"], response_class=Response, responses=ONE_IMAGE)
    async def preview(image_id: UUID, deadline: Within) -> Response:
        """Return the upright JPEG of at most 512 px."""
        body, media_type = await storage.file(image_id, "preview", deadline=deadline)
        return Response(body, media_type=media_type, headers=NEVER_CHANGES | HARMLESS)

    @router.get("/images/{image_id}/attention", tags=["images"], responses=ONE_IMAGE)
    async def attention(image_id: UUID, deadline: Within) -> ImageAttention:
        """Show where the caption model looks for each word; computed now, from the preview."""
        body, _ = await storage.file(image_id, "preview", deadline=deadline)
        return await captions.attend(body, deadline=deadline)

    @router.get("/images/{image_id}/explanation", tags=["images"], responses=ONE_IMAGE)
    async def explanation(image_id: UUID, deadline: Within) -> ImageExplanation:
        """Show what speaks for the classify model's label; computed now, from the preview."""
        body, _ = await storage.file(image_id, "preview", deadline=deadline)
        return await classifications.explain(body, deadline=deadline)

    @router.get("/images/{image_id}/similar", tags=["images"], responses=ONE_IMAGE | SIMILAR)
    async def similar(
        image_id: UUID,
        deadline: Within,
        limit: Annotated[int, Query(ge=1, le=MAX_SIMILAR)] = DEFAULT_SIMILAR,
    ) -> SimilarImages:
        """List the images that look most like one, nearest first."""
        return await storage.similar(image_id, limit=limit, deadline=deadline)

    @router.get("/labels", tags=["labels"])
    async def labels(deadline: Within) -> list[LabelCount]:
        """Count the images of each label; pending ones count as unclassified."""
        return (await storage.labels(deadline=deadline)).root

    return router


async def _read_file(request: Request, *, limit_bytes: int, deadline: Deadline) -> tuple[bytes, str]:
    """Return the bytes and the name of the form's `file`; one that trickles in does not hold its place for ever."""
    body_limit_bytes = limit_bytes + FORM_OVERHEAD_BYTES
    try:
        async with asyncio.timeout(deadline.remaining_s()):
            form = await read_form(request, limit_bytes=body_limit_bytes, max_files=1, max_fields=8)
            try:
                file = _file_of(form)
                image = await file.read()
            finally:
                await form.close()
    except TimeoutError as error:
        raise DeadlineExceeded("the image did not arrive in time") from error
    if len(image) > limit_bytes:
        raise ImageTooLarge(
            f"the image has {readable_size(len(image))}; at most {readable_size(limit_bytes)} are accepted"
        )
    if not image:
        raise UnsupportedImage("the file is empty")
    return image, shown_filename(file)


def _file_of(form: FormData) -> UploadFile:
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise BadRequest('send the image as multipart/form-data in a field named "file"')
    return file
