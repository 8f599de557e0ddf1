"""Store many images at once, each with the promises of one: its files synced and in place before its row is committed.

The files of a batch are synced by several threads at a time, since the disk then syncs many for the price of one, and
all rows go in one transaction. One image that is refused takes no other with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from uuid import UUID

from shared.batch_contracts import Refusal, StoredBatch, StoredImage
from shared.contracts import ImageRecord
from shared.deadline import Deadline
from shared.worker import BoundedWorker
from storage_service import lineage
from storage_service.archive import FILE_TIMEOUT_S, Archive
from storage_service.database import Database
from storage_service.errors import HashMismatch, OutcomeUnknown, StorageUnavailable
from storage_service.filenames import preview_path
from storage_service.image_rows import AlreadyStored, enter_whole
from storage_service.image_store import ImageStore
from storage_service.new_images import image_of
from storage_service.new_rows import NewRow
from storage_service.tables import Embedding, Image
from storage_service.uploads import Upload, hash_and_size, size_of
from storage_service.uuid7 import uuid7

log = logging.getLogger(__name__)

HASHED_AT_ONCE_BYTES = 64 * 1024
"""What is not larger is in memory, keeps the event loop for well under a millisecond, and need not wake a thread."""
FILE_JOBS = 4
RACES = 3
"""So often others may store some of the same images at the same moment before the batch is given up."""


Result = TypeVar("Result")


@dataclass(frozen=True)
class FiledBatch:
    """What became of each image, and the embeddings of the new ones by their ids."""

    told: StoredBatch
    embeddings: Mapping[UUID, Embedding]


class BatchStoring:
    """Stores batches."""

    def __init__(self, database: Database, store: ImageStore, worker: BoundedWorker, archive: Archive) -> None:
        self._database = database
        self._store = store
        self._worker = worker
        self._archive = archive

    async def add(self, uploads: Sequence[Upload], *, deadline: Deadline) -> FiledBatch:
        """File the images; say of each what became of it."""

        def close(_: object) -> None:
            for upload in uploads:
                upload.close()

        # The same at each try, so that files of one that was undone are not left behind.
        ids = {upload.new.sha256: uuid7() for upload in uploads}
        return await self._archive.to_the_end(lambda: self._add(uploads, ids), deadline=deadline, afterwards=close)

    async def _add(self, uploads: Sequence[Upload], ids: Mapping[str, UUID]) -> FiledBatch:
        for upload in uploads:
            upload.rewind()
        sizes = await self._sizes(uploads)
        intact = [upload for upload, size in zip(uploads, sizes, strict=True) if size is not None]
        images = {
            upload.new.sha256: image_of(upload.new, size_bytes=size, image_id=ids[upload.new.sha256], said=upload.said)
            for upload, size in zip(uploads, sizes, strict=True)
            if size is not None
        }
        records, stored, embeddings = await self._file(intact, images)
        if len(uploads) > 1:
            log.info("batch_stored", extra={"images": len(uploads), "new": len(stored)})
        return FiledBatch(StoredBatch(items=_outcomes(uploads, sizes, records, stored)), embeddings)

    async def _file(
        self, uploads: Sequence[Upload], images: dict[str, NewRow]
    ) -> tuple[dict[str, ImageRecord], set[str], dict[UUID, Embedding]]:
        """Return the records by their SHA-256, which of them are new, and the embeddings of those."""
        by_sha256 = {upload.new.sha256: upload for upload in uploads}
        written: dict[str, NewRow] = {}
        stored: set[str] = set()
        # Whoever stores a single one has asked before whether it is known; the row says so if it is all the same.
        is_thought_new = len(images) == 1
        try:
            for _ in range(RACES + is_thought_new):
                known = {} if is_thought_new else await self._known(images)
                is_thought_new = False
                new = {sha256: image for sha256, image in images.items() if sha256 not in known}
                if not new:
                    return {sha256: lineage.record_of(image) for sha256, image in known.items()}, stored, {}
                missing = {sha256: image for sha256, image in new.items() if sha256 not in written}
                written |= missing  # before they are: a job cut off may have written some
                await self._write([(image, by_sha256[sha256]) for sha256, image in missing.items()])
                with contextlib.suppress(AlreadyStored):
                    embeddings = await self._insert(new, by_sha256)
                    stored = set(new)
                    records = {sha256: lineage.record_of(image) for sha256, image in (known | new).items()}
                    return records, stored, embeddings
            raise StorageUnavailable("others store the same images at this moment; try again")
        except OutcomeUnknown:
            raise
        except StorageUnavailable:  # nothing was kept, so the database, which may be away, need not be asked
            for image in written.values():
                await self._archive.discard(image.path, preview_path(image.id))
            written.clear()
            raise
        finally:
            for sha256, image in written.items():
                if sha256 not in stored:
                    await self._archive.sweep(image.id, image.path, preview_path(image.id))

    async def _known(self, images: Collection[str]) -> dict[str, Image]:
        async with self._database.reading() as repository:
            return await repository.find_all_by_sha256(list(images))

    async def _insert(self, new: dict[str, NewRow], by_sha256: dict[str, Upload]) -> dict[UUID, Embedding]:
        answers = [(image, by_sha256[sha256].new.caption) for sha256, image in new.items()]
        async with self._database.writing_rows() as connection:
            return await connection.run_sync(enter_whole, answers)

    async def _sizes(self, uploads: Sequence[Upload]) -> list[int | None]:
        """Return each original's length in bytes, None where it is not what its record says."""
        originals = [upload.original for upload in uploads]
        if sum(map(size_of, originals)) <= HASHED_AT_ONCE_BYTES:
            found = [hash_and_size(original) for original in originals]
        else:
            found = await self._on_disk(lambda: [hash_and_size(original) for original in originals])
        return [
            size if sha256 == upload.new.sha256 else None for upload, (sha256, size) in zip(uploads, found, strict=True)
        ]

    async def _write(self, images: Sequence[tuple[NewRow, Upload]]) -> None:
        shares = [images[first::FILE_JOBS] for first in range(min(FILE_JOBS, len(images)))]
        jobs = [self._on_disk(partial(self._write_share, share)) for share in shares]
        # Nothing may be written any more when the files are swept away.
        for failure in await asyncio.gather(*jobs, return_exceptions=True):
            if isinstance(failure, BaseException):
                raise failure

    def _write_share(self, images: Sequence[tuple[NewRow, Upload]]) -> None:
        previews = [(preview_path(image.id), upload.preview) for image, upload in images]
        originals = [(image.path, upload.original) for image, upload in images]
        self._store.write_all([*previews, *originals])

    async def _on_disk(self, job: Callable[[], Result]) -> Result:
        return await self._worker.run(job, deadline=Deadline.after(FILE_TIMEOUT_S))


def _outcomes(
    uploads: Sequence[Upload], sizes: Sequence[int | None], records: dict[str, ImageRecord], stored: set[str]
) -> list[StoredImage]:
    items = []
    unseen = set(stored)
    for upload, size in zip(uploads, sizes, strict=True):
        sha256 = upload.new.sha256
        if size is None:
            refusal = Refusal(code=HashMismatch.code, detail=f"the original does not have SHA-256 {sha256}")
            items.append(StoredImage(outcome="refused", image=None, refusal=refusal))
            continue
        items.append(StoredImage(outcome="stored" if sha256 in unseen else "known", image=records[sha256]))
        unseen.discard(sha256)
    return items
