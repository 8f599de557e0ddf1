"""The part of the public API about what was said of images: its history, taking it back, asking again.

Annotations are evaluated here, not postponed: the deadline's dependency is made inside `work_routes`.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query

from gateway.routes import BEHIND, ONE_IMAGE, PREFIX
from gateway.work_client import WorkClient
from shared.contracts import ImageRecord, ModelName
from shared.deadline import DEADLINE_HEADER, Deadline
from shared.work_contracts import ImageHistory, Rerun, RerunRequest, Retried, Undone

ModelPart = Annotated[str, Path(max_length=255)]
DryRun = Annotated[bool, Query(description="Only count; nothing is changed.")]


def work_routes(work: WorkClient, *, longest_deadline_s: float) -> APIRouter:
    """Return the routes; those that change many images say what remains when their time is over."""
    router = APIRouter(prefix=PREFIX, responses=BEHIND)

    async def _deadline(deadline_ms: Annotated[str | None, Header(alias=DEADLINE_HEADER)] = None) -> Deadline:
        return Deadline.from_header(deadline_ms, longest_s=longest_deadline_s)

    Within = Annotated[Deadline, Depends(_deadline)]  # noqa: N806  # it is a type

    @router.get("/images/{image_id}/history", tags=["images"], responses=ONE_IMAGE)
    async def history(image_id: UUID, deadline: Within) -> ImageHistory:
        """List every caption and label ever given to an image, by which model version or by a person, newest first."""
        return await work.history(image_id, deadline=deadline)

    @router.post("/images/{image_id}/retry", tags=["images"], responses=ONE_IMAGE)
    async def retry(image_id: UUID, deadline: Within) -> ImageRecord:
        """Try again at once what was given up or put off for an image; one that wants nothing stays as it is."""
        return await work.retry(image_id, deadline=deadline)

    @router.post("/images/retry", tags=["images"])
    async def retry_all(deadline: Within) -> Retried:
        """Try again all images that were given up; with `remaining` above 0, ask again to go on."""
        return await work.retry_all(deadline=deadline)

    @router.post("/reruns", tags=["models"])
    async def rerun(request: RerunRequest, deadline: Within, dry_run: DryRun = False) -> Rerun:
        """Have the present models look again at images of a label, found by words, or all; people's words stay."""
        return await work.rerun(request, dry_run=dry_run, deadline=deadline)

    @router.delete("/models/{name}/{version}/results", tags=["models"])
    async def undo(name: ModelPart, version: ModelPart, deadline: Within, dry_run: DryRun = False) -> Undone:
        """Take back all that one model version said; with `remaining` above 0, ask again to go on."""
        return await work.undo(ModelName(name=name, version=version), dry_run=dry_run, deadline=deadline)

    return router
