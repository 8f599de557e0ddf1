"""The part of storage's internal API that takes many images at once."""

from __future__ import annotations

from fastapi import APIRouter, Request

from shared.batch_contracts import StoredBatch
from shared.errors import BadRequest, DeadlineExceeded, ImageTooLarge, UnsupportedImage, problem_responses
from storage_service.batch_uploads import BATCH_SCHEMA, read_batch
from storage_service.errors import StorageUnavailable
from storage_service.routes import Due, Opened, within

router = APIRouter(prefix="/v1", tags=["storage"], responses=problem_responses(StorageUnavailable, DeadlineExceeded))


@router.post(
    "/images/batch",
    openapi_extra=BATCH_SCHEMA,
    responses=problem_responses(BadRequest, ImageTooLarge, UnsupportedImage),
)
async def store_images(request: Request, storage: Opened, deadline: Due) -> StoredBatch:
    """File many originals and previews at once; each item says what became of its image."""
    async with within(deadline):
        uploads = await read_batch(request, limit_bytes=storage.body_limit_bytes)
    filed = await storage.batches.add(uploads, deadline=deadline)
    return await storage.similar.mark_all(filed.told, filed.embeddings, deadline=deadline)
