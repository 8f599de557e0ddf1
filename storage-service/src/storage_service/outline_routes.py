"""The part of storage's internal API that tells the shapes of many images at once, and where their pages begin.

Annotations are evaluated here, not postponed: FastAPI reads those of a dataclass.
"""

from typing import Annotated

from fastapi import APIRouter, Query

from shared.contracts import Sort
from shared.errors import BadRequest, problem_responses
from shared.outline_contracts import DEFAULT_OUTLINE_STEP, MAX_OUTLINE_IMAGES, MAX_OUTLINE_STEP, ImageOutline
from storage_service.cursors import write_cursor
from storage_service.outlines import outline_of
from storage_service.routes import Due, Opened
from storage_service.search_query import Searched, query_of

router = APIRouter(prefix="/v1", tags=["storage"], responses=problem_responses(BadRequest))


@router.get("/images/outline")
async def outline(  # noqa: PLR0917
    search: Searched,
    storage: Opened,
    deadline: Due,
    sort: Sort = "newest",
    step: Annotated[int, Query(ge=1, le=MAX_OUTLINE_STEP)] = DEFAULT_OUTLINE_STEP,
    limit: Annotated[int, Query(ge=1, le=MAX_OUTLINE_IMAGES)] = MAX_OUTLINE_IMAGES,
    cursor: str | None = None,
) -> ImageOutline:
    """Return the shapes of up to `limit` images, in the order of their pages, and a cursor for each `step` of them."""
    query = query_of(search, sort=sort, limit=limit, cursor=cursor)
    found = await storage.database.read(lambda images: outline_of(images.session, query), deadline=deadline)
    begins = [None if each is None else write_cursor(each) for each in found.begins(step=step)]
    following = None if found.following is None else write_cursor(found.following)
    return ImageOutline(shapes=found.shapes, cursors=begins, next_cursor=following)
