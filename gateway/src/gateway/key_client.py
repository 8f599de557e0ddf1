"""What storage-service keeps of keys, and of what each has sent today."""

from __future__ import annotations

from typing import Protocol

from shared.deadline import Deadline
from shared.errors import ForwardedProblem, NotFound
from shared.http_client import ServiceClient
from shared.key_contracts import BytesSent, DayOfKey, KeyCheck, KeyRecord, Keys, NewKey


class KnownKeys(Protocol):
    """Whoever knows keys."""

    async def check(self, shown: KeyCheck, *, deadline: Deadline) -> KeyRecord | None:
        """Return what is known of a key that was shown, or None."""


class Days(Protocol):
    """Whoever knows what a key has sent today."""

    async def count(self, key_id: str, sent: BytesSent, *, deadline: Deadline) -> DayOfKey:
        """Count bytes against a key's day, unless that would take it over its limit."""


class KeyClient:
    """The part of storage-service that keeps keys."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def check(self, shown: KeyCheck, *, deadline: Deadline) -> KeyRecord | None:
        """Return what is known of a key that was shown, or None."""
        try:
            return await self._service.call(
                KeyRecord, "POST", "/v1/keys/check", deadline=deadline, json=shown.model_dump()
            )
        except ForwardedProblem as problem:
            if problem.status == NotFound.status:
                return None
            raise

    async def count(self, key_id: str, sent: BytesSent, *, deadline: Deadline) -> DayOfKey:
        """Count bytes against a key's day, unless that would take it over its limit."""
        path = f"/v1/keys/{key_id}/uploads"
        return await self._service.call(DayOfKey, "POST", path, deadline=deadline, json=sent.model_dump())

    async def add(self, new: NewKey, *, deadline: Deadline) -> KeyRecord:
        """Let a key count from now on."""
        said = new.model_dump(mode="json")
        return await self._service.call(KeyRecord, "POST", "/v1/keys", deadline=deadline, json=said)

    async def all(self, *, deadline: Deadline) -> list[KeyRecord]:
        """Return all keys, the oldest first."""
        return (await self._service.call(Keys, "GET", "/v1/keys", deadline=deadline)).items

    async def revoke(self, key_id: str, *, deadline: Deadline) -> KeyRecord:
        """Let a key not count from now on."""
        return await self._service.call(KeyRecord, "DELETE", f"/v1/keys/{key_id}", deadline=deadline)
