"""The part of storage's internal API that gives back files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, BinaryIO, Literal

from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from shared.disposition import content_disposition
from shared.errors import DeadlineExceeded, NotFound, problem_responses
from storage_service.errors import CannotEmbed, ImageFileMissing, StorageUnavailable
from storage_service.routes import Due, ImageId, Opened, within

CHUNK_BYTES = 256 * 1024

router = APIRouter(prefix="/v1", tags=["storage"], responses=problem_responses(StorageUnavailable, DeadlineExceeded))


@router.get(
    "/images/{id}/content",
    response_class=Response,
    responses={200: {"content": {"image/*": {}}}, **problem_responses(NotFound, CannotEmbed, ImageFileMissing)},
)
async def get_content(
    image_id: ImageId,
    storage: Opened,
    deadline: Due,
    metadata: Annotated[Literal["embedded"] | None, Query(description="A copy that carries its words.")] = None,
) -> Response:
    """Return the original bytes, or on demand a copy with caption and label as XMP and IPTC inside."""
    async with within(deadline):
        if metadata == "embedded":
            image, copy = await storage.archive.read_with_words(image_id, deadline=deadline)
            return Response(copy, media_type=image.media_type, headers={"X-Content-Type-Options": "nosniff"})
        image, file = await storage.archive.open_original(image_id, deadline=deadline)
    headers = {
        "Content-Length": str(image.size_bytes),
        "Content-Disposition": content_disposition(image.filename, image.media_type),
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(_chunks(file), media_type=image.media_type, headers=headers)


@router.get(
    "/images/{id}/preview",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, **problem_responses(NotFound, ImageFileMissing)},
)
async def get_preview(image_id: ImageId, storage: Opened, deadline: Due) -> Response:
    """Return the preview, an upright JPEG."""
    async with within(deadline):
        preview = await storage.archive.read_preview(image_id, deadline=deadline)
    return Response(preview, media_type="image/jpeg")


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
