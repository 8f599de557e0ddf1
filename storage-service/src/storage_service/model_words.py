"""The words of one model version, wherever they are: counted, or taken back a few images at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts import ModelName
from storage_service.tables import Analysis, Image


class ModelWords:
    """The words of one model version, in one transaction."""

    def __init__(self, session: AsyncSession, model: ModelName) -> None:
        self._session = session
        self._by_model = (Analysis.model_name == model.name, Analysis.model_version == model.version)

    async def count(self) -> tuple[int, int]:
        """Return how many images have such words, and how many words there are."""
        statement = select(func.count(Analysis.image_seq.distinct()), func.count()).where(*self._by_model)
        images, words = (await self._session.execute(statement)).one()
        return images, words

    async def some_images(self, *, limit: int) -> list[int]:
        """Return images that have such words; locks nothing."""
        statement = select(Analysis.image_seq).where(*self._by_model).distinct().order_by(Analysis.image_seq)
        return list(await self._session.scalars(statement.limit(limit)))

    async def remove_from(self, image_seqs: Sequence[int]) -> tuple[list[Image], int]:
        """Remove the words from locked images; return the images as they are then, and how many words went."""
        of_these = Analysis.image_seq.in_(image_seqs)
        statement = delete(Analysis).where(of_these, *self._by_model).execution_options(synchronize_session=False)
        removed = cast("CursorResult[Any]", await self._session.execute(statement))
        images = await self._session.scalars(select(Image).where(Image.seq.in_(image_seqs)).order_by(Image.seq))
        return list(images), removed.rowcount
