"""Images that look like another: the nearest embeddings, looked up in the database and measured exactly.

An image that is almost the same as a stored one is marked as its near-duplicate, and stored all the same. Embeddings
say which may be; pages of text lie close together there, so the previews decide.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import lru_cache, partial
from uuid import UUID

from shared.batch_contracts import StoredBatch
from shared.contracts import ImageRecord
from shared.deadline import Deadline
from shared.errors import NotEmbedded, ServiceError
from shared.similar_images import SimilarImage, SimilarImages
from shared.worker import BoundedWorker
from storage_service import lineage
from storage_service.database import Database
from storage_service.embeddings import image_ids_of, vectors_of
from storage_service.filenames import preview_path
from storage_service.image_store import ImageStore
from storage_service.previews import Cells, UnreadablePreview, cells_of, show_the_same
from storage_service.similarity import Similarity
from storage_service.tables import Embedding
from storage_service.vectors import ROUNDED, Near, distances, from_bytes

log = logging.getLogger(__name__)

MOST_CANDIDATES = 1024
SPARE_CANDIDATES = 16
NEAR_DUPLICATE_DISTANCE = 0.25
"""Measured by tests/bench/near_duplicates.py; see storage-service's README."""
PREVIEWS_COMPARED = 8
PREVIEWS_REMEMBERED = 256
"""A megabyte of cells: pictures that are alike come together, and each is compared with those before."""
FARTHEST = 2.0
MARKING_TIMEOUT_S = 2.0


class SimilarPictures:
    """Answers what looks like an image, and notes what is almost the same."""

    def __init__(self, database: Database, store: ImageStore, similarity: Similarity, files: BoundedWorker) -> None:
        self._database = database
        self._store = store
        self._similarity = similarity
        self._files = files
        self._cells = lru_cache(PREVIEWS_REMEMBERED)(self._read_cells)

    async def similar(self, image_id: UUID, *, limit: int, deadline: Deadline) -> SimilarImages:
        """Return the images that look most like one, nearest first.

        Raises:
            NotFound: there is no such image.
            NotEmbedded: nothing has looked at it yet.
            Overloaded, DeadlineExceeded: see `Similarity.nearest`.
        """
        async with self._database.reading() as images:
            await images.get(image_id)
            embedding = await images.embeddings.of(image_id)
        if embedding is None:
            raise NotEmbedded(f"image {image_id} has not been looked at yet: ask again when it is complete")
        nearest = await self._measured(embedding, limit, deadline)
        async with self._database.reading() as images:
            found = await images.embeddings.images(nearest)
        items = [
            SimilarImage(image=lineage.record_of(image), distance=nearest[seq])
            for seq, image in sorted(found.items(), key=lambda one: (nearest[one[0]], -one[0]))
        ]
        return SimilarImages(items=items)

    async def mark(self, record: ImageRecord, embedding: Embedding, *, deadline: Deadline) -> ImageRecord:
        """Return a new image's record, with its near-duplicate noted if it has one.

        Whatever keeps us from looking leaves it unmarked: the image is stored, and that is what counts.
        """
        try:
            async with asyncio.timeout(min(deadline.remaining_s(), MARKING_TIMEOUT_S)):
                return await self._mark(record, embedding, Deadline.after(MARKING_TIMEOUT_S))
        except (ServiceError, TimeoutError) as error:
            _not_compared(record, error)
            return record

    async def mark_completed(self, record: ImageRecord, *, deadline: Deadline) -> ImageRecord:
        """Do the same for an image that was there already, by whatever embedding it has now."""
        try:
            soon = Deadline.after(min(deadline.remaining_s(), MARKING_TIMEOUT_S))
            embedding = await self._database.read(lambda images: images.embeddings.of(record.id), deadline=soon)
        except ServiceError as error:
            _not_compared(record, error)
            return record
        return record if embedding is None else await self.mark(record, embedding, deadline=deadline)

    async def mark_all(
        self, batch: StoredBatch, embeddings: Mapping[UUID, Embedding], *, deadline: Deadline
    ) -> StoredBatch:
        """Mark those of a batch that are new and came with an embedding, given by their ids."""
        items = [
            item.model_copy(update={"image": await self.mark(item.image, embeddings[item.image.id], deadline=deadline)})
            if item.image is not None and item.outcome == "stored" and item.image.id in embeddings
            else item
            for item in batch.items
        ]
        return StoredBatch(items=items)

    async def _mark(self, record: ImageRecord, embedding: Embedding, deadline: Deadline) -> ImageRecord:
        self._similarity.note(embedding.encoder, embedding.seq, embedding.vector)
        nearest = await self._measured(embedding, PREVIEWS_COMPARED, deadline, within=NEAR_DUPLICATE_DISTANCE)
        near = {seq: distance for seq, distance in nearest.items() if distance <= NEAR_DUPLICATE_DISTANCE}
        if not near:
            return record
        others = await self._database.read_rows(partial(image_ids_of, seqs=near), deadline=deadline)
        ids = {seq: others[seq][1] for seq in near if seq in others}  # nearest first
        same = await self._files.run(lambda: self._first_same(record.id, ids), deadline=deadline)
        if same is None:
            return record
        other_seq, other_id = others[same]
        newer, older = (record.id, other_id) if embedding.image_seq > other_seq else (other_id, record.id)
        async with self._database.writing() as images:
            await images.embeddings.mark(newer, older=older, distance=near[same])
        async with self._database.reading() as images:
            return lineage.record_of(await images.get(record.id))

    async def _measured(
        self, embedding: Embedding, count: int, deadline: Deadline, *, within: float = FARTHEST
    ) -> Near:
        """Return the exact distances of the `count` nearest others that are still there.

        Where none is about `within` that distance the database is not asked, and none is returned.
        """
        vector = from_bytes(embedding.vector)[0]
        asked = 2 * count + SPARE_CANDIDATES
        while True:
            about = await self._similarity.nearest(embedding.encoder, vector, asked, deadline=deadline)
            keys = about.keys()
            if not any(about[seq] <= within + ROUNDED for seq in keys - {embedding.seq}):
                return {}
            there = await self._database.read_rows(partial(vectors_of, seqs=keys), deadline=deadline)
            there.pop(embedding.seq, None)
            if len(there) >= count or len(keys) < asked or asked >= MOST_CANDIDATES:
                break
            await self._similarity.recount(embedding.encoder)
            asked = min(4 * asked, MOST_CANDIDATES)
        if not there:
            return {}
        measured = zip(there, distances(vector, from_bytes(*there.values())), strict=True)
        return dict(sorted(measured, key=lambda one: (one[1], -one[0]))[:count])

    def _first_same(self, image_id: UUID, others: Mapping[int, UUID]) -> int | None:
        """Return the key of the first that shows the same as the image, or None."""
        try:
            cells = self._cells(image_id)
        except UnreadablePreview as error:
            _unreadable(image_id, error)
            return None
        for key, other_id in others.items():
            try:
                if show_the_same(cells, self._cells(other_id)):
                    return key
            except UnreadablePreview as error:
                _unreadable(other_id, error)
        return None

    def _read_cells(self, image_id: UUID) -> Cells:
        return cells_of(self._store.read(preview_path(image_id)))


def _unreadable(image_id: UUID, error: UnreadablePreview) -> None:
    log.warning("preview_unreadable", extra={"image_id": image_id, "reason": str(error)})


def _not_compared(record: ImageRecord, error: Exception) -> None:
    log.warning("not_compared", extra={"image_id": record.id, "reason": str(error) or "no time left"})
