"""The part of storage's internal API that hands out many images at once."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from shared.contracts import Label
from shared.errors import Overloaded, problem_responses
from shared.long_stream import LongStream
from storage_service.pages import PageQuery
from storage_service.routes import Opened
from storage_service.search import WordQuery
from storage_service.xmp import sidecar_of

router = APIRouter(prefix="/v1", tags=["storage"], responses=problem_responses(Overloaded))


@router.get(
    "/export",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}, "description": "A ZIP, streamed."}},
)
async def export(
    storage: Opened,
    q: Annotated[str, Query(description="Words, as for the list of images.")] = "",
    label: Label | None = None,
    sidecars: Annotated[Literal["xmp"] | None, Query(description="Also each image's words beside it.")] = None,
) -> LongStream:
    """Return images in one folder a label, and `captions.csv`; not the whole has a deadline, but each step."""
    words = WordQuery(q) if q.strip() else None
    query = PageQuery(words=words, label=label, status=None, sort="newest", limit=1, after=None)
    pieces = storage.exports.stream(query, sidecar=sidecar_of if sidecars else None)
    return LongStream(pieces, stall_timeout_s=storage.stall_timeout_s, media_type="application/zip")
