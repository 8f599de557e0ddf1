"""Storage's internal API; only the gateway calls it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response, status

from shared.contracts import (
    DEFAULT_PAGE_SIZE,
    MAX_PAGE_SIZE,
    Correction,
    ImagePage,
    ImageRecord,
    LabelCounts,
    Sort,
)
from shared.deadline import Deadline
from shared.errors import (
    BadRequest,
    DeadlineExceeded,
    ImageTooLarge,
    NotEmbedded,
    NotFound,
    UnsupportedImage,
    problem_responses,
)
from shared.similar_images import DEFAULT_SIMILAR, MAX_SIMILAR, SimilarImages
from shared.turns import Turns
from storage_service import image_rows, lineage
from storage_service.api_keys import ApiKeys
from storage_service.archive import Archive
from storage_service.batch_storing import BatchStoring
from storage_service.completion import Completion
from storage_service.cursors import write_cursor
from storage_service.database import Database
from storage_service.errors import HashMismatch, StorageUnavailable
from storage_service.exports import Exports
from storage_service.gathering import Gathering
from storage_service.idempotency import Idempotency
from storage_service.reruns import Reruns
from storage_service.search_query import Searched, query_of
from storage_service.similar import SimilarPictures
from storage_service.status import Status
from storage_service.undoing import Undoing
from storage_service.upload_batches import BatchKeeping
from storage_service.uploads import UPLOAD_SCHEMA, read_upload

router = APIRouter(prefix="/v1", tags=["storage"], responses=problem_responses(StorageUnavailable, DeadlineExceeded))


@dataclass(frozen=True)
class Storage:
    """What the routes need, put together in `app.py`."""

    archive: Archive
    batches: BatchStoring
    gathering: Gathering
    upload_batches: BatchKeeping
    database: Database
    completion: Completion
    reruns: Reruns
    undoing: Undoing
    similar: SimilarPictures
    exports: Exports
    idempotency: Idempotency
    storing: Turns
    keys: ApiKeys
    status: Status
    stall_timeout_s: float
    longest_s: float
    body_limit_bytes: int


async def _opened(request: Request) -> Storage:
    return cast("Storage", request.app.state.storage)


Opened = Annotated[Storage, Depends(_opened)]


async def _deadline(storage: Opened, x_deadline_ms: Annotated[str | None, Header()] = None) -> Deadline:
    return Deadline.from_header(x_deadline_ms, longest_s=storage.longest_s)


async def _known_id(image_id: Annotated[str, Path(alias="id")]) -> UUID:
    try:
        return UUID(image_id)
    except ValueError as error:
        raise NotFound(f"there is no image {image_id!r}") from error


Due = Annotated[Deadline, Depends(_deadline)]
ImageId = Annotated[UUID, Depends(_known_id)]


@router.post(
    "/images",
    status_code=status.HTTP_201_CREATED,
    openapi_extra=UPLOAD_SCHEMA,
    responses={
        200: {"model": ImageRecord, "description": "These bytes are stored already."},
        **problem_responses(ImageTooLarge, UnsupportedImage, HashMismatch),
    },
)
async def store_image(request: Request, response: Response, storage: Opened, deadline: Due) -> ImageRecord:
    """File an original and its preview with what is known of them; the same bytes are filed once."""
    storage.storing.require_room(deadline=deadline)
    async with within(deadline):
        upload = await read_upload(request, limit_bytes=storage.body_limit_bytes)
    async with storage.storing.turn(deadline=deadline):
        record, is_new, embedding = await storage.gathering.add(upload, deadline=deadline)
        if not is_new:
            response.status_code = status.HTTP_200_OK
        return await storage.similar.mark(record, embedding, deadline=deadline) if embedding else record


@router.get("/images", responses=problem_responses(BadRequest))
async def list_images(  # noqa: PLR0917
    search: Searched,
    storage: Opened,
    deadline: Due,
    sort: Sort = "newest",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)] = DEFAULT_PAGE_SIZE,
    cursor: str | None = None,
) -> ImagePage:
    """Return a page of images: newest first, by relevance to `q`, or the model's least certain labels first."""
    query = query_of(search, sort=sort, limit=limit, cursor=cursor)
    page, last = await storage.database.read(lambda images: images.page(query), deadline=deadline)
    return ImagePage(
        items=[lineage.record_of(image) for image in page], next_cursor=None if last is None else write_cursor(last)
    )


@router.get("/images/by-sha256/{sha256}", responses=problem_responses(NotFound))
async def find_image(sha256: str, storage: Opened, deadline: Due) -> ImageRecord:
    """Return the image of these bytes."""
    database = storage.database
    # It mostly is not, and to say so takes no session.
    is_stored = await database.read_rows(partial(image_rows.is_stored, sha256=sha256), deadline=deadline)
    image = await database.read(lambda images: images.find_by_sha256(sha256), deadline=deadline) if is_stored else None
    if image is None:
        raise NotFound(f"there is no image with SHA-256 {sha256}")
    return lineage.record_of(image)


@router.get("/images/{id}", responses=problem_responses(NotFound))
async def get_image(image_id: ImageId, storage: Opened, deadline: Due) -> ImageRecord:
    """Return one image."""
    return lineage.record_of(await storage.database.read(lambda images: images.get(image_id), deadline=deadline))


@router.patch("/images/{id}", responses=problem_responses(NotFound, BadRequest))
async def correct_image(image_id: ImageId, correction: Correction, storage: Opened, deadline: Due) -> ImageRecord:
    """Note what a person says instead; a new label moves the file to its folder."""
    if correction.label is None and correction.caption is None:
        raise BadRequest("a correction needs a label or a caption")
    return await storage.archive.correct(image_id, correction, deadline=deadline)


@router.delete("/images/{id}", status_code=status.HTTP_204_NO_CONTENT, responses=problem_responses(NotFound))
async def delete_image(image_id: ImageId, storage: Opened, deadline: Due) -> None:
    """Remove one image, its files, and everything ever said of it."""
    await storage.archive.delete(image_id, deadline=deadline)


@router.get("/images/{id}/similar", responses=problem_responses(NotFound, NotEmbedded))
async def list_similar(
    image_id: ImageId,
    storage: Opened,
    deadline: Due,
    limit: Annotated[int, Query(ge=1, le=MAX_SIMILAR)] = DEFAULT_SIMILAR,
) -> SimilarImages:
    """Return the images that look most like one, nearest first."""
    async with within(deadline):
        return await storage.similar.similar(image_id, limit=limit, deadline=deadline)


@router.get("/labels")
async def count_labels(storage: Opened, deadline: Due) -> LabelCounts:
    """Return how many images carry each label; the counts sum to all images."""
    return LabelCounts(await storage.database.read(lambda images: images.label_counts(), deadline=deadline))


@asynccontextmanager
async def within(deadline: Deadline) -> AsyncIterator[None]:
    """Cut off at the deadline what may be cut off; raises DeadlineExceeded."""
    try:
        async with asyncio.timeout(deadline.remaining_s()):
            yield
    except TimeoutError as error:
        raise DeadlineExceeded("storage did not finish in time") from error
