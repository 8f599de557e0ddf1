"""The part of storage's internal API about words that are wanted, taken back and given again."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from shared.contracts import ImageRecord, ModelName
from shared.errors import BadRequest, DeadlineExceeded, NotFound, problem_responses
from shared.work_contracts import (
    ImageHistory,
    LeaseRequest,
    Leases,
    Rerun,
    RerunRequest,
    Retried,
    Undone,
    WorkCounts,
    WorkOutcome,
)
from storage_service import lineage
from storage_service.errors import LeaseLost, StorageUnavailable
from storage_service.repeating import repeated
from storage_service.routes import Due, ImageId, Opened, within

router = APIRouter(prefix="/v1", tags=["work"], responses=problem_responses(StorageUnavailable, DeadlineExceeded))

ModelPart = Annotated[str, Path(max_length=255)]
DryRun = Annotated[bool, Query(description="Only count.")]


@router.get("/images/{id}/history", responses=problem_responses(NotFound))
async def image_history(image_id: ImageId, storage: Opened, deadline: Due) -> ImageHistory:
    """Return every caption and label ever given to an image, the newest first."""
    return lineage.history_of(await storage.database.read(lambda images: images.get(image_id), deadline=deadline))


@router.post("/images/{id}/retry", responses=problem_responses(NotFound))
async def retry_image(image_id: ImageId, storage: Opened, deadline: Due) -> ImageRecord:
    """Try again at once what was given up or put off for an image; one that wants nothing stays as it is."""
    return await storage.archive.to_the_end(lambda: storage.completion.retry(image_id), deadline=deadline)


@router.post("/images/retry")
async def retry_images(storage: Opened, deadline: Due) -> Retried:
    """Try again all that was given up."""
    return await storage.completion.retry_all(deadline=deadline)


@router.get("/work")
async def count_work(storage: Opened, deadline: Due) -> WorkCounts:
    """Return how many captions and labels are wanted of the models."""
    return WorkCounts(items=await storage.database.read(lambda images: images.work.counts(), deadline=deadline))


@router.post("/leases")
async def lease_work(request: LeaseRequest, storage: Opened, deadline: Due) -> Leases:
    """Take work that is due, so that nobody else gets it for a while."""
    async with within(deadline):
        return await repeated(lambda: storage.completion.lease(request), deadline=deadline)


@router.post("/leases/{token}", responses=problem_responses(BadRequest, LeaseLost))
async def finish_work(token: UUID, outcome: WorkOutcome, storage: Opened, deadline: Due) -> ImageRecord:
    """Say what came of leased work; refused when the lease has ended."""
    record = await storage.completion.finish(token, outcome, deadline=deadline)
    return await storage.similar.mark_completed(record, deadline=deadline) if outcome.caption else record


@router.post("/reruns", responses=problem_responses(BadRequest))
async def rerun(request: RerunRequest, storage: Opened, deadline: Due, dry_run: DryRun = False) -> Rerun:
    """Ask for new words for images of a label, found by words, or all; they keep those they have."""
    if dry_run:
        async with within(deadline):
            return await storage.reruns.count(request)
    return await storage.reruns.mark(request, deadline=deadline)


@router.delete("/models/{name}/{version}/results")
async def undo_model(
    name: ModelPart, version: ModelPart, storage: Opened, deadline: Due, dry_run: DryRun = False
) -> Undone:
    """Take back every caption and label that a model version gave; `remaining` above 0 means: ask again."""
    model = ModelName(name=name, version=version)
    if dry_run:
        async with within(deadline):
            return await storage.undoing.count(model)
    return await storage.undoing.undo(model, deadline=deadline)
