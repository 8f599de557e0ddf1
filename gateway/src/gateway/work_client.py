"""What storage-service hands out and takes back about words: pending work, their history, undoing, asking again."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import quote
from uuid import UUID

from shared.contracts import ImageRecord, Kind, ModelName
from shared.deadline import Deadline
from shared.errors import ForwardedProblem
from shared.http_client import ServiceClient
from shared.work_contracts import (
    ImageHistory,
    Lease,
    LeaseRequest,
    Leases,
    Rerun,
    RerunRequest,
    Retried,
    Undone,
    WorkCount,
    WorkCounts,
    WorkOutcome,
)

LEASE_LOST = "lease_lost"


class Work(Protocol):
    """Whoever knows what images still want from the models."""

    async def lease(self, kind: Kind, *, lease_s: float, deadline: Deadline) -> Lease | None:
        """Take the oldest work that is due, so that nobody else has it for `lease_s`; None where nothing is."""

    async def report(self, token: UUID, outcome: WorkOutcome, *, deadline: Deadline) -> ImageRecord | None:
        """Say what came of it; None where it is not ours any more."""

    async def counts(self, *, deadline: Deadline) -> list[WorkCount]:
        """Return how much is wanted of each kind."""

    async def preview(self, image_id: UUID, *, deadline: Deadline) -> bytes:
        """Return the JPEG that the models see."""


class WorkClient:
    """The part of storage-service that keeps pending work and every word."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def lease(self, kind: Kind, *, lease_s: float, deadline: Deadline) -> Lease | None:
        """Take the oldest work that is due, so that nobody else has it for `lease_s`; None where nothing is."""
        asked = LeaseRequest(kind=kind, lease_s=lease_s).model_dump()
        leases = await self._service.call(Leases, "POST", "/v1/leases", deadline=deadline, json=asked)
        return leases.items[0] if leases.items else None

    async def report(self, token: UUID, outcome: WorkOutcome, *, deadline: Deadline) -> ImageRecord | None:
        """Say what came of it; None where it is not ours any more."""
        said = outcome.model_dump(mode="json", exclude_none=True)
        try:
            return await self._service.call(ImageRecord, "POST", f"/v1/leases/{token}", deadline=deadline, json=said)
        except ForwardedProblem as problem:
            if problem.code != LEASE_LOST:
                raise
            return None

    async def counts(self, *, deadline: Deadline) -> list[WorkCount]:
        """Return how much is wanted of each kind."""
        return (await self._service.call(WorkCounts, "GET", "/v1/work", deadline=deadline)).items

    async def preview(self, image_id: UUID, *, deadline: Deadline) -> bytes:
        """Return the JPEG that the models see."""
        return (await self._service.send("GET", f"/v1/images/{image_id}/preview", deadline=deadline)).content

    async def history(self, image_id: UUID, *, deadline: Deadline) -> ImageHistory:
        """Return every word ever given to an image."""
        return await self._service.call(ImageHistory, "GET", f"/v1/images/{image_id}/history", deadline=deadline)

    async def retry(self, image_id: UUID, *, deadline: Deadline) -> ImageRecord:
        """Try at once again what an image wants."""
        return await self._service.call(ImageRecord, "POST", f"/v1/images/{image_id}/retry", deadline=deadline)

    async def retry_all(self, *, deadline: Deadline) -> Retried:
        """Try again all that was given up."""
        return await self._service.call(Retried, "POST", "/v1/images/retry", deadline=deadline)

    async def rerun(self, request: RerunRequest, *, dry_run: bool, deadline: Deadline) -> Rerun:
        """Ask the present models to look at images again, or count which."""
        return await self._service.call(
            Rerun,
            "POST",
            "/v1/reruns",
            deadline=deadline,
            params={"dry_run": dry_run},
            json=request.model_dump(mode="json"),
        )

    async def undo(self, model: ModelName, *, dry_run: bool, deadline: Deadline) -> Undone:
        """Take back what one model version said, or count it."""
        path = f"/v1/models/{quote(model.name, safe='')}/{quote(model.version, safe='')}/results"
        return await self._service.call(Undone, "DELETE", path, deadline=deadline, params={"dry_run": dry_run})
