"""The public API, version 1.

Annotations are evaluated here, not postponed: the deadline's dependency is made inside `public_routes`.
"""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response

from gateway.clients import CaptionClient, ClassifyClient, StorageClient
from gateway.security_headers import STRANGERS_FILE
from shared.contracts import (
    DEFAULT_PAGE_SIZE,
    MAX_PAGE_SIZE,
    Correction,
    ImageAttention,
    ImageExplanation,
    ImagePage,
    ImageRecord,
    LabelCount,
    Sort,
)
from shared.deadline import DEADLINE_HEADER, Deadline
from shared.errors import (
    BadRequest,
    DeadlineExceeded,
    NotEmbedded,
    NotFound,
    Overloaded,
    UnsupportedImage,
    UpstreamFailed,
    problem_responses,
)
from shared.searches import Search
from shared.similar_images import DEFAULT_SIMILAR, MAX_SIMILAR, SimilarImages

PREFIX = "/api/v1"

NEVER_CHANGES = {"Cache-Control": "private, max-age=31536000, immutable"}
MAY_CHANGE = {"Cache-Control": "private, no-cache"}
HARMLESS = {"Content-Security-Policy": STRANGERS_FILE}

BEHIND = problem_responses(BadRequest, UpstreamFailed, Overloaded, DeadlineExceeded)
ONE_IMAGE = problem_responses(NotFound)
SIMILAR = problem_responses(NotEmbedded)
NO_WORDS_INSIDE = problem_responses(UnsupportedImage)


def public_routes(
    captions: CaptionClient,
    classifications: ClassifyClient,
    storage: StorageClient,
    *,
    longest_deadline_s: float,
) -> APIRouter:
    """Return the routes of the public API."""
    router = APIRouter(prefix=PREFIX, responses=BEHIND)

    async def _deadline(deadline_ms: Annotated[str | None, Header(alias=DEADLINE_HEADER)] = None) -> Deadline:
        return Deadline.from_header(deadline_ms, longest_s=longest_deadline_s)

    Within = Annotated[Deadline, Depends(_deadline)]  # noqa: N806  # it is a type

    @router.get("/images", tags=["images"])
    async def page(
        search: Annotated[Search, Depends()],
        deadline: Within,
        sort: Sort = "newest",
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)] = DEFAULT_PAGE_SIZE,
        cursor: Annotated[str | None, Query(max_length=500)] = None,
    ) -> ImagePage:
        """List images, a page at a time."""
        asked = search.parameters() | {"sort": sort, "limit": limit}
        return await storage.page(asked | ({"cursor": cursor} if cursor else {}), deadline=deadline)

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
