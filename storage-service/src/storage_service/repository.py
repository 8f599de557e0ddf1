"""The questions asked of the tables; each repository lives as long as one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts import LabelCount, ModelName
from shared.errors import NotFound
from storage_service import image_rows, label_counts
from storage_service.cursors import Cursor
from storage_service.embeddings import EmbeddingRepository
from storage_service.filed_rows import FiledRows
from storage_service.image_pages import ImagePages
from storage_service.key_rows import KeyRows
from storage_service.model_words import ModelWords
from storage_service.new_rows import NewRow
from storage_service.pages import PageQuery
from storage_service.pending_work import WorkQueue
from storage_service.status_rows import StatusRows
from storage_service.tables import Image
from storage_service.upload_batch_rows import UploadBatchRows

# Made once: to make such a statement takes the processor longer than to execute it.
_BY_ID = select(Image).where(Image.id == bindparam("id"))
_BY_SHA256 = select(Image).where(Image.sha256 == bindparam("sha256"))


class ImageRepository:
    """Images and their analyses, in one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self.work = WorkQueue(session)
        self.embeddings = EmbeddingRepository(session)
        self.filed = FiledRows(session)
        self.batches = UploadBatchRows(session)
        self.keys = KeyRows(session)
        self.status = StatusRows(session)

    @property
    def session(self) -> AsyncSession:
        """The transaction, for tables that are not about images."""
        return self._session

    def words_of(self, model: ModelName) -> ModelWords:
        """Return what one model version said."""
        return ModelWords(self._session, model)

    async def add(self, image: NewRow) -> None:
        """Insert a new image.

        Raises:
            AlreadyStored: its SHA-256 is not new.
        """
        await (await self._session.connection()).run_sync(image_rows.enter, [image])

    async def remove(self, image: Image) -> None:
        """Delete an image and everything ever said of it."""
        await self._session.delete(image)

    async def get(self, image_id: UUID) -> Image:
        """Return an image; raise NotFound where there is none."""
        return _known(await self._session.scalar(_BY_ID, {"id": image_id}), image_id)

    async def get_locked(self, image_id: UUID) -> Image:
        """Return an image that nobody else can change before this transaction ends; raise NotFound."""
        return _known(await self.find_locked(image_id), image_id)

    async def find_locked(self, image_id: UUID) -> Image | None:
        """Return an image that nobody else can change before this transaction ends, or None."""
        image: Image | None = await self._session.scalar(select(Image).where(Image.id == image_id).with_for_update())
        return image

    async def find_by_sha256(self, sha256: str) -> Image | None:
        """Return the image of these bytes, or None."""
        image: Image | None = await self._session.scalar(_BY_SHA256, {"sha256": sha256})
        return image

    async def find_all_by_sha256(self, sha256s: Sequence[str]) -> dict[str, Image]:
        """Return those of the images that are there, by their SHA-256."""
        found = await self._session.scalars(select(Image).where(Image.sha256.in_(sha256s)))
        return {image.sha256: image for image in found}

    async def find_all(self, ids: Sequence[UUID]) -> dict[UUID, Image]:
        """Return those of the images that are there, by their id."""
        found = await self._session.scalars(select(Image).where(Image.id.in_(ids)))
        return {image.id: image for image in found}

    async def page(self, query: PageQuery) -> tuple[list[Image], Cursor | None]:
        """Return one page, and the cursor for the next if there is one; see `ImagePages.page`."""
        if query.words is not None and query.words.is_empty:
            return [], None
        seqs, cursor = await ImagePages(self._session).page(query)
        images = {image.seq: image for image in await self._session.scalars(select(Image).where(Image.seq.in_(seqs)))}
        return [images[seq] for seq in seqs if seq in images], cursor

    async def label_counts(self) -> list[LabelCount]:
        """Return how many images carry each label, most images first."""
        rows = await self._session.execute(label_counts.counts_statement())
        return [LabelCount(label=label, count=int(count)) for label, count in rows]

    async def seqs(self, statement: Select[Image]) -> list[int]:
        """Return the row numbers of the images that a statement finds."""
        return list(await self._session.scalars(statement.with_only_columns(Image.seq)))

    async def count(self, statement: Select[Image]) -> int:
        """Return how many images a statement finds."""
        found = statement.with_only_columns(Image.seq).subquery()
        return await self._session.scalar(select(func.count()).select_from(found)) or 0


def _known(image: Image | None, image_id: UUID) -> Image:
    if image is None:
        raise NotFound(f"there is no image {image_id}")
    return image
