"""The part of storage's internal API that hands out many images at once.

Annotations are evaluated here, not postponed: FastAPI reads those of a dataclass.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from shared.errors import BadRequest, Overloaded, problem_responses
from shared.long_stream import LongStream
from shared.search_questions import ChosenImages
from storage_service.routes import Opened
from storage_service.search_query import Searched, query_of
from storage_service.xmp import sidecar_of

router = APIRouter(prefix="/v1", tags=["storage"], responses=problem_responses(BadRequest, Overloaded))


@router.get(
    "/export",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}, "description": "A ZIP, streamed."}},
)
async def export(
    search: Searched,
    storage: Opened,
    ids: ChosenImages = [],  # noqa: B006  # FastAPI copies it
    sidecars: Annotated[Literal["xmp"] | None, Query(description="Also each image's words beside it.")] = None,
) -> LongStream:
    """Return images in one folder a label, and `captions.csv`; not the whole has a deadline, but each step."""
    if ids and search.parameters():
        raise BadRequest("an export is either of the images with these ids, or of those that a search finds")
    asked = ids or query_of(search, sort="newest", limit=1, cursor=None)
    pieces = storage.exports.stream(asked, sidecar=sidecar_of if sidecars else None)
    return LongStream(pieces, stall_timeout_s=storage.stall_timeout_s, media_type="application/zip")
