"""Read of many rows only what tells where their files are and what is in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from storage_service.filenames import filed_path
from storage_service.tables import Image


@dataclass(frozen=True)
class FiledRow:
    """One image's row, as far as it speaks of files."""

    seq: int
    id: UUID
    path: str
    label: str
    filename: str
    media_type: str
    sha256: str
    size_bytes: int

    @property
    def right_path(self) -> str:
        """Where the original belongs."""
        return filed_path(label=self.label, filename=self.filename, image_id=self.id, media_type=self.media_type)


class FiledRows:
    """Rows for comparing them with files, in one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def count(self) -> int:
        """Return how many rows there are."""
        return await self._session.scalar(select(func.count()).select_from(Image)) or 0

    async def page(self, *, after: int, limit: int) -> list[FiledRow]:
        """Return rows in the order of their numbers, the first behind `after`."""
        return await self._rows(_statement().where(Image.seq > after).order_by(Image.seq).limit(limit))

    async def of(self, ids: Iterable[UUID]) -> dict[UUID, FiledRow]:
        """Return those of these images that have a row."""
        rows = await self._rows(_statement().where(Image.id.in_(set(ids))))
        return {row.id: row for row in rows}

    async def of_locked(self, image_id: UUID) -> FiledRow | None:
        """Return an image's row, which nobody changes before this transaction ends, or None."""
        rows = await self._rows(_statement().where(Image.id == image_id).with_for_update())
        return rows[0] if rows else None

    async def _rows(self, statement: Select[int, UUID, str, str, str, str, str, int]) -> list[FiledRow]:
        return [FiledRow(*row) for row in await self._session.execute(statement)]


def _statement() -> Select[int, UUID, str, str, str, str, str, int]:
    return select(
        Image.seq,
        Image.id,
        Image.path,
        Image.label,
        Image.filename,
        Image.media_type,
        Image.sha256,
        Image.size_bytes,
    )
