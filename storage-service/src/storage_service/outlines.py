"""Tell the shapes of many images without reading what is said of them, so that a gallery can be laid out at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from storage_service.cursors import Cursor
from storage_service.image_pages import ImagePages
from storage_service.pages import PageQuery
from storage_service.tables import Image

IMAGES_A_QUESTION = 1000


@dataclass(frozen=True)
class Outline:
    """Shapes in the order of the pages, the cursor of each image, and those before and behind them all."""

    shapes: list[float]
    """Width over height, rounded to 0.001."""
    images: list[Cursor]
    before: Cursor | None
    following: Cursor | None

    def begins(self, *, step: int) -> list[Cursor | None]:
        """Return behind which image each page of `step` images begins; None is the very first page."""
        return [self.before if at == 0 else self.images[at - 1] for at in range(0, len(self.images), step)]


async def outline_of(session: AsyncSession, query: PageQuery) -> Outline:
    """Return the outline of up to `query.limit` images behind `query.after`."""
    if query.words is not None and query.words.is_empty:
        return Outline([], [], query.after, None)
    cursors, following = await ImagePages(session).cursors(query)
    shapes = await _shapes(session, [cursor.seq for cursor in cursors])
    there = [cursor for cursor in cursors if cursor.seq in shapes]
    return Outline([shapes[cursor.seq] for cursor in there], there, query.after, following)


async def _shapes(session: AsyncSession, seqs: Sequence[int]) -> dict[int, float]:
    shapes: dict[int, float] = {}
    for first in range(0, len(seqs), IMAGES_A_QUESTION):
        some = select(Image.seq, Image.width, Image.height).where(
            Image.seq.in_(seqs[first : first + IMAGES_A_QUESTION])
        )
        shapes |= {seq: round(width / height, 3) for seq, width, height in await session.execute(some)}
    return shapes
