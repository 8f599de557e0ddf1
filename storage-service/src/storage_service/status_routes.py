"""The part of storage's internal API that says how it is doing."""

from __future__ import annotations

from fastapi import APIRouter

from shared.errors import DeadlineExceeded, problem_responses
from shared.status_contracts import StorageStatus
from storage_service.errors import StorageUnavailable
from storage_service.routes import Due, Opened

router = APIRouter(prefix="/v1", tags=["status"], responses=problem_responses(StorageUnavailable, DeadlineExceeded))


@router.get("/status")
async def tell_status(storage: Opened, deadline: Due) -> StorageStatus:
    """Tell what is kept, what waits since when, and how fast models have been in the last hour."""
    return await storage.status.tell(deadline=deadline)
