"""Questions about all images at once, each of which an index answers; but for the sum of their bytes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage_service.label_counts import counts_statement
from storage_service.tables import Analysis, Image


class StatusRows:
    """The questions of one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def images(self) -> int:
        """Return how many images are kept."""
        return sum(int(count) for _, count in await self._session.execute(counts_statement()))

    async def stored_bytes(self) -> int:
        """Return the bytes of all originals; reads every row."""
        return int(await self._session.scalar(select(func.coalesce(func.sum(Image.size_bytes), 0))) or 0)

    async def count(self, status: str) -> int:
        """Return how many images are `pending` or `failed`."""
        return await self._session.scalar(select(func.count(Image.seq)).where(Image.status == status)) or 0

    async def oldest_pending_at(self) -> datetime | None:
        """Return when the pending image came that came first; the index of the status is in that order."""
        statement = select(Image.created_at).where(Image.status == "pending").order_by(Image.seq).limit(1)
        oldest: datetime | None = await self._session.scalar(statement)
        return oldest

    async def described(self, since: datetime) -> dict[str, int]:
        """Return how many captions models gave in each minute, by `2026-11-26 12:05`."""
        minute = func.substr(cast(Analysis.created_at, String(32)), 1, 16)
        statement = select(minute, func.count()).where(
            Analysis.kind == "caption", Analysis.source == "model", Analysis.created_at >= since
        )
        rows = await self._session.execute(statement.group_by(minute))
        return {str(told): count for told, count in rows}
