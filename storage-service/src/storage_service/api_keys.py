"""Keep keys by their hashes, and count what each has sent today.

A key has 256 random bits, so its plain SHA-256 is enough: nobody can try all of them, and a slow hash with salt, which
protects what people make up, would only cost each request time.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from shared.deadline import Deadline
from shared.errors import NotFound
from shared.key_contracts import BytesSent, DayOfKey, KeyCheck, KeyRecord, NewKey
from storage_service.database import Database
from storage_service.errors import KeyExists, StorageUnavailable
from storage_service.key_rows import AnotherWasFirst
from storage_service.key_tables import ApiKey
from storage_service.repeating import repeated

log = logging.getLogger(__name__)

USED_AGAIN_AFTER = timedelta(minutes=1)
"""When a key was last used is written down no more often than so."""


class ApiKeys:
    """The keys of one database."""

    def __init__(self, database: Database, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._now = now

    async def add(self, new: NewKey, *, deadline: Deadline) -> KeyRecord:
        """Let a key count from now on.

        Raises:
            KeyExists: there is one of this id.
        """

        async def once() -> KeyRecord:
            key = ApiKey(**new.model_dump(), created_at=self._now())
            async with self._database.writing() as images:
                if await images.keys.find(new.id) is not None:
                    raise KeyExists(f"there is a key {new.id} already")
                images.keys.add(key)
            return _record(key)

        record = await repeated(once, deadline=deadline)
        log.info("key_added", extra={"key_id": new.id, "key_name": new.name, "scope": new.scope})
        return record

    async def all(self, *, deadline: Deadline) -> list[KeyRecord]:
        """Return all keys, also those that do not count any more, the oldest first."""
        keys = await self._database.read(lambda images: images.keys.all(), deadline=deadline)
        return [_record(key) for key in keys]

    async def revoke(self, key_id: str, *, deadline: Deadline) -> KeyRecord:
        """Let a key not count from now on; again does nothing more.

        Raises:
            NotFound: there is none of this id.
        """

        async def once() -> KeyRecord:
            async with self._database.writing() as images:
                key = await images.keys.find(key_id)
                if key is None:
                    raise NotFound(f"there is no key {key_id}")
                key.revoked_at = key.revoked_at or self._now()
            return _record(key)

        record = await repeated(once, deadline=deadline)
        log.info("key_revoked", extra={"key_id": key_id, "key_name": record.name})
        return record

    async def check(self, shown: KeyCheck, *, deadline: Deadline) -> KeyRecord:
        """Return what is known of the key that was shown, whether or not it still counts, and note that it was used.

        It is found by its id and compared in constant time, so that no answer's time tells a part of a hash.

        Raises:
            NotFound: there is no such key.
        """
        key = await self._database.read(lambda images: images.keys.find(shown.id), deadline=deadline)
        if key is None or not hmac.compare_digest(key.sha256, shown.sha256):
            raise NotFound("there is no such key")
        now = self._now()
        if key.last_used_at is None or now - key.last_used_at >= USED_AGAIN_AFTER:
            try:
                await repeated(lambda: self._note_use(shown.id, now), deadline=deadline)
            except StorageUnavailable as error:  # no reason to turn anybody away
                log.warning("key_use_not_noted", extra={"key_id": shown.id, "reason": error.detail})
            else:
                key.last_used_at = now
        return _record(key)

    async def count(self, key_id: str, sent: BytesSent, *, deadline: Deadline) -> DayOfKey:
        """Count bytes against the key's day, unless that would take it over its limit."""
        now = self._now()
        ends = datetime.combine(now.date() + timedelta(days=1), time(), UTC)

        async def once() -> tuple[bool, int]:
            try:
                async with self._database.writing() as images:
                    return await images.keys.count(key_id, now.date(), sent)
            except AnotherWasFirst:
                async with self._database.writing() as images:
                    return await images.keys.count(key_id, now.date(), sent)

        is_counted, total = await repeated(once, deadline=deadline)
        day_ends_in_s = int((ends - now).total_seconds()) + 1
        return DayOfKey(is_counted=is_counted, sent_bytes=total, day_ends_in_s=day_ends_in_s)

    async def _note_use(self, key_id: str, now: datetime) -> None:
        async with self._database.writing() as images:
            await images.keys.note_use(key_id, now)


def _record(key: ApiKey) -> KeyRecord:
    return KeyRecord.model_validate({name: getattr(key, name) for name in KeyRecord.model_fields})
