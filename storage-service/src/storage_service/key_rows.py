"""The rows of keys in one transaction, and the one statement that decides whether bytes fit into a key's day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.key_contracts import BytesSent
from storage_service.key_tables import ApiKey, KeyUploads


class AnotherWasFirst(Exception):
    """The row of the day was made by somebody else in this moment."""


class KeyRows:
    """Keys and their days, in one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, key: ApiKey) -> None:
        """Insert a new key."""
        self._session.add(key)

    async def all(self) -> list[ApiKey]:
        """Return all keys, the oldest first."""
        return list(await self._session.scalars(select(ApiKey).order_by(ApiKey.created_at, ApiKey.id)))

    async def find(self, key_id: str) -> ApiKey | None:
        """Return the key of an id, or None."""
        key: ApiKey | None = await self._session.get(ApiKey, key_id)
        return key

    async def note_use(self, key_id: str, moment: datetime) -> None:
        """Write down when a key was used."""
        await self._session.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=moment))

    async def count(self, key_id: str, day: date, sent: BytesSent) -> tuple[bool, int]:
        """Return whether bytes were counted, and the day's sum; nobody else who counts can come in between.

        Raises:
            AnotherWasFirst: in another transaction it will work.
        """
        row = (KeyUploads.key_id == key_id, KeyUploads.day == day)
        total = KeyUploads.sent_bytes + sent.size_bytes
        fits = [total <= sent.limit_bytes] if sent.size_bytes > 0 else []
        counting = update(KeyUploads).where(*row, *fits).values(sent_bytes=total)
        counted = await self._session.execute(counting.execution_options(synchronize_session=False))
        known = await self._session.scalar(select(KeyUploads.sent_bytes).where(*row))
        if known is not None:
            return cast("CursorResult[Any]", counted).rowcount > 0, max(0, known)
        if not 0 < sent.size_bytes <= sent.limit_bytes:
            return sent.size_bytes <= 0, 0
        try:
            await self._session.execute(insert(KeyUploads).values(key_id=key_id, day=day, sent_bytes=sent.size_bytes))
        except IntegrityError as error:
            raise AnotherWasFirst from error
        await self._session.execute(delete(KeyUploads).where(KeyUploads.key_id == key_id, KeyUploads.day < day))
        return True, sent.size_bytes
