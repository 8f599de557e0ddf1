"""The part of storage's internal API about keys and what they have sent."""

from __future__ import annotations

from fastapi import APIRouter, status

from shared.errors import DeadlineExceeded, NotFound, problem_responses
from shared.key_contracts import BytesSent, DayOfKey, KeyCheck, KeyId, KeyRecord, Keys, NewKey
from storage_service.errors import KeyExists, StorageUnavailable
from storage_service.routes import Due, Opened, within

router = APIRouter(prefix="/v1", tags=["keys"], responses=problem_responses(StorageUnavailable, DeadlineExceeded))


@router.post("/keys", status_code=status.HTTP_201_CREATED, responses=problem_responses(KeyExists))
async def add_key(new: NewKey, storage: Opened, deadline: Due) -> KeyRecord:
    """Let a key count from now on; only its hash comes here."""
    async with within(deadline):
        return await storage.keys.add(new, deadline=deadline)


@router.get("/keys")
async def list_keys(storage: Opened, deadline: Due) -> Keys:
    """Return all keys, also those that do not count any more."""
    return Keys(items=await storage.keys.all(deadline=deadline))


@router.post("/keys/check", responses=problem_responses(NotFound))
async def check_key(shown: KeyCheck, storage: Opened, deadline: Due) -> KeyRecord:
    """Return whose key was shown; the caller looks at `revoked_at` and `expires_at`."""
    async with within(deadline):
        return await storage.keys.check(shown, deadline=deadline)


@router.delete("/keys/{id}", responses=problem_responses(NotFound))
async def revoke_key(id: KeyId, storage: Opened, deadline: Due) -> KeyRecord:  # noqa: A002  # FastAPI's name of it
    """Let a key not count from now on; again does nothing more."""
    async with within(deadline):
        return await storage.keys.revoke(id, deadline=deadline)


@router.post("/keys/{id}/uploads")
async def count_upload(id: KeyId, sent: BytesSent, storage: Opened, deadline: Due) -> DayOfKey:  # noqa: A002
    """Count bytes against a key's day, unless that would take it over its limit."""
    async with within(deadline):
        return await storage.keys.count(id, sent, deadline=deadline)
