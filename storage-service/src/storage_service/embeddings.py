"""The questions asked of the embeddings' table, in the transaction of whoever asks.

Rows are numbered in the order in which they were written, and no number is given twice: what a vector index was built
from is everything up to one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts import CaptionAnswer
from storage_service.new_rows import NewRow
from storage_service.numbered_rows import insert_numbered
from storage_service.tables import Embedding, Image, NearDuplicate
from storage_service.vector_index import Manifest
from storage_service.vectors import to_bytes

PAGE_ROWS = 5000


class EmbeddingRepository:
    """Embeddings and what was found with them, in one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def note(self, image: Image | NewRow, answer: CaptionAnswer | None) -> None:
        """Keep an image's embedding in place of an older one, if the answer has one; the image has its row already."""
        if (embedding := embedding_of(image, answer)) is None:
            return
        if isinstance(image, Image):  # a new one has none
            await self._session.execute(delete(Embedding).where(Embedding.image_seq == image.seq))
        await (await self._session.connection()).run_sync(insert_embeddings, [embedding])

    async def of(self, image_id: UUID) -> Embedding | None:
        """Return an image's embedding, or None where it has none."""
        statement = select(Embedding).join(Image, Image.seq == Embedding.image_seq).where(Image.id == image_id)
        found: Embedding | None = await self._session.scalar(statement)
        return found

    async def page(self, encoder: str, *, after: int, limit: int = PAGE_ROWS) -> list[tuple[int, bytes]]:
        """Return numbers and vectors of an encoder behind a number, in order."""
        statement = (
            select(Embedding.seq, Embedding.vector)
            .where(Embedding.encoder == encoder, Embedding.seq > after)
            .order_by(Embedding.seq)
            .limit(limit)
        )
        return [(seq, vector) for seq, vector in await self._session.execute(statement)]

    async def images(self, seqs: Iterable[int]) -> dict[int, Image]:
        """Return the images of those embeddings that are still there, by the embeddings' numbers."""
        statement = (
            select(Embedding.seq, Image)
            .join(Image, Embedding.image_seq == Image.seq)
            .where(Embedding.seq.in_(list(seqs)))
        )
        return {row[0]: row[1] for row in await self._session.execute(statement)}

    async def encoders(self) -> dict[str, int]:
        """Return how many embeddings each encoder has."""
        statement = select(Embedding.encoder, func.count()).group_by(Embedding.encoder)
        return {row[0]: row[1] for row in await self._session.execute(statement)}

    async def agree_with(self, manifest: Manifest) -> bool:
        """Say whether an index may have been built from these embeddings, and not from another or a later database."""
        last = await self._session.scalar(select(func.max(Embedding.seq)).where(Embedding.encoder == manifest.encoder))
        there = await (await self._session.connection()).run_sync(vectors_of, manifest.probes)
        return (last or 0) >= manifest.through and all(
            vector.hex() == manifest.probes[seq] for seq, vector in there.items()
        )

    async def mark(self, newer: UUID, *, older: UUID, distance: float) -> bool:
        """Note that one image is almost another; False where one of them is gone, or the newer one has its note."""
        both = select(Image).where(Image.id.in_([newer, older])).order_by(Image.seq).with_for_update()
        images = {image.id: image for image in await self._session.scalars(both)}
        if len(images) < 2 or images[newer].near_duplicate is not None:
            return False
        self._session.add(NearDuplicate(image_seq=images[newer].seq, of_seq=images[older].seq, distance=distance))
        return True


def vectors_of(connection: Connection, seqs: Iterable[int]) -> dict[int, bytes]:
    """Return those of the vectors that are still there, by their numbers."""
    statement = select(Embedding.seq, Embedding.vector).where(Embedding.seq.in_(list(seqs)))
    return {row.seq: row.vector for row in connection.execute(statement)}


def image_ids_of(connection: Connection, seqs: Iterable[int]) -> dict[int, tuple[int, UUID]]:
    """Return number and id of the images of those embeddings that are still there, by the embeddings' numbers."""
    statement = (
        select(Embedding.seq, Image.seq, Image.id)
        .join(Image, Embedding.image_seq == Image.seq)
        .where(Embedding.seq.in_(list(seqs)))
    )
    return {seq: (image_seq, image_id) for seq, image_seq, image_id in connection.execute(statement)}


def insert_embeddings(connection: Connection, embeddings: Sequence[Embedding]) -> None:
    """Insert the embeddings of images that have their rows already and none yet; they get their row numbers."""
    rows = [{"image_seq": each.image_seq, "encoder": each.encoder, "vector": each.vector} for each in embeddings]
    seqs = insert_numbered(connection, Embedding, rows, key="image_seq")
    for each in embeddings:
        each.seq = seqs[each.image_seq]


def embedding_of(image: Image | NewRow, answer: CaptionAnswer | None) -> Embedding | None:
    """Return what an answer says where an image, which has its row already, lies; None where it does not."""
    if answer is None or answer.embedding is None or (vector := to_bytes(answer.embedding)) is None:
        return None
    return Embedding(image_seq=image.seq, encoder=answer.encoder, vector=vector)
