"""The part of storage's internal API about requests that their clients may send twice."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from shared.errors import DeadlineExceeded, problem_responses
from shared.idempotency import KeyClaim, KeyClaimed, RequestInFlight, StoredAnswer
from storage_service.errors import LeaseLost, StorageUnavailable
from storage_service.routes import Due, Opened, within

router = APIRouter(
    prefix="/v1/idempotency-keys", tags=["work"], responses=problem_responses(StorageUnavailable, DeadlineExceeded)
)


@router.post("", responses=problem_responses(RequestInFlight))
async def claim_key(claim: KeyClaim, storage: Opened, deadline: Due) -> KeyClaimed:
    """Take a key for a while, or get the answer that its request was given."""
    async with within(deadline):
        return await storage.idempotency.claim(claim, deadline=deadline)


@router.put("/{token}", status_code=204, responses=problem_responses(LeaseLost))
async def keep_answer(token: UUID, answer: StoredAnswer, storage: Opened, deadline: Due) -> None:
    """Keep what the request was answered with; doing so twice changes nothing."""
    async with within(deadline):
        await storage.idempotency.finish(token, answer, deadline=deadline)


@router.delete("/{token}", status_code=204)
async def release_key(token: UUID, storage: Opened, deadline: Due) -> None:
    """Give a key back whose request came to nothing; one that was answered stays."""
    async with within(deadline):
        await storage.idempotency.release(token, deadline=deadline)
