"""The part of storage's internal API that keeps account of upload batches."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status

from shared.contracts import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from shared.errors import BadRequest, DeadlineExceeded, NotFound, problem_responses
from shared.upload_batches import BatchFiles, BatchNews, FileStatus, NewBatch, UploadBatch, UploadBatches
from storage_service.errors import BatchIdTaken, StorageUnavailable
from storage_service.repeating import repeated
from storage_service.routes import Due, Opened, within

router = APIRouter(
    prefix="/v1/batches", tags=["batches"], responses=problem_responses(StorageUnavailable, DeadlineExceeded)
)
ONE_BATCH = problem_responses(NotFound)

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)]
Cursor = Annotated[str | None, Query(max_length=50)]


@router.post("", status_code=status.HTTP_201_CREATED, responses=problem_responses(BatchIdTaken))
async def begin_batch(new: NewBatch, storage: Opened, deadline: Due) -> UploadBatch:
    """Begin a batch, whose files are noted as they come."""
    return await storage.archive.to_the_end(lambda: storage.upload_batches.begin(new), deadline=deadline)


@router.get("", responses=problem_responses(BadRequest))
async def list_batches(
    storage: Opened, deadline: Due, limit: Limit = DEFAULT_PAGE_SIZE, cursor: Cursor = None
) -> UploadBatches:
    """Return batches, the newest first."""
    async with within(deadline):
        return await repeated(lambda: storage.upload_batches.page(cursor=cursor, limit=limit), deadline=deadline)


@router.get("/{batch_id}", responses=ONE_BATCH)
async def get_batch(batch_id: UUID, storage: Opened, deadline: Due) -> UploadBatch:
    """Return how far a batch has come."""
    async with within(deadline):
        return await repeated(lambda: storage.upload_batches.get(batch_id), deadline=deadline)


@router.get("/{batch_id}/files", responses=ONE_BATCH | problem_responses(BadRequest))
async def list_files(  # noqa: PLR0917
    batch_id: UUID,
    storage: Opened,
    deadline: Due,
    status: FileStatus | None = None,
    limit: Limit = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> BatchFiles:
    """Return files of a batch, in the order in which they were noted."""
    async with within(deadline):
        return await repeated(
            lambda: storage.upload_batches.files(batch_id, status=status, cursor=cursor, limit=limit), deadline=deadline
        )


@router.post("/{batch_id}/news", responses=ONE_BATCH)
async def note_news(batch_id: UUID, news: BatchNews, storage: Opened, deadline: Due) -> UploadBatch:
    """Note files that were stored or refused, the end of a batch, or that it is still being received."""
    return await storage.archive.to_the_end(lambda: storage.upload_batches.note(batch_id, news), deadline=deadline)


@router.delete("/{batch_id}", responses=ONE_BATCH)
async def cancel_batch(batch_id: UUID, storage: Opened, deadline: Due) -> UploadBatch:
    """Describe no more of a batch; with `pending` above 0 and nobody else who wants them, ask again to go on."""
    async with within(deadline):
        return await storage.upload_batches.cancel(batch_id, deadline=deadline)
