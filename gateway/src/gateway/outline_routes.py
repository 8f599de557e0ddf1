"""The part of the public API that tells the shapes of many images at once: what a gallery needs to be laid out.

Annotations are evaluated here, not postponed: the deadline's dependency is made inside `outline_routes`.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query

from gateway.clients import StorageClient
from gateway.routes import BEHIND, PREFIX
from shared.contracts import Sort
from shared.deadline import DEADLINE_HEADER, Deadline
from shared.outline_contracts import DEFAULT_OUTLINE_STEP, MAX_OUTLINE_IMAGES, MAX_OUTLINE_STEP, ImageOutline
from shared.searches import Search


def outline_routes(storage: StorageClient, *, longest_deadline_s: float) -> APIRouter:
    """Return the route; it must stand before that of one image, whose id could be `outline` else."""
    router = APIRouter(prefix=PREFIX, responses=BEHIND)

    async def _deadline(deadline_ms: Annotated[str | None, Header(alias=DEADLINE_HEADER)] = None) -> Deadline:
        return Deadline.from_header(deadline_ms, longest_s=longest_deadline_s)

    Within = Annotated[Deadline, Depends(_deadline)]  # noqa: N806  # it is a type
    Searched = Annotated[Search, Depends()]  # noqa: N806

    @router.get("/images/outline", tags=["images"])
    async def outline(  # noqa: PLR0917  # FastAPI fills them in by name
        search: Searched,
        deadline: Within,
        sort: Sort = "newest",
        step: Annotated[int, Query(ge=1, le=MAX_OUTLINE_STEP)] = DEFAULT_OUTLINE_STEP,
        limit: Annotated[int, Query(ge=1, le=MAX_OUTLINE_IMAGES)] = MAX_OUTLINE_IMAGES,
        cursor: Annotated[str | None, Query(max_length=500)] = None,
    ) -> ImageOutline:
        """Tell the shapes of up to 10,000 images in the order of their pages, and where pages of `step` begin."""
        asked = search.parameters() | {"sort": sort, "step": step, "limit": limit}
        return await storage.outline(asked | ({"cursor": cursor} if cursor else {}), deadline=deadline)

    return router
