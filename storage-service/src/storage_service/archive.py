"""Keep rows and files in step: whatever is cut off in the middle, every row's file exists.

A file is there before its row is committed, and goes after it is. Work that changes something is not cut off by its
request's deadline: the caller is told, and the work goes on to its end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, BinaryIO, TypeVar
from uuid import UUID

from shared.contracts import Correction, ImageRecord
from shared.deadline import Deadline
from shared.errors import DeadlineExceeded, ServiceError
from shared.worker import BoundedWorker
from storage_service import lineage
from storage_service.database import Database
from storage_service.embedded_words import with_words
from storage_service.errors import HashMismatch, ImageFileMissing, OutcomeUnknown, StorageUnavailable
from storage_service.filenames import preview_path
from storage_service.image_rows import AlreadyStored
from storage_service.image_store import ImageStore
from storage_service.new_images import image_of, path_of
from storage_service.new_rows import NewRow
from storage_service.repeating import repeated
from storage_service.repository import ImageRepository
from storage_service.tables import Image
from storage_service.uploads import Upload, hash_and_size
from storage_service.uuid7 import uuid7

log = logging.getLogger(__name__)

FILE_TIMEOUT_S = 120.0  # a thread that writes cannot be stopped, so we wait long before giving it up
OPEN_TRIES = 5

Result = TypeVar("Result")


class Archive:
    """Adds, corrects, deletes and opens images."""

    def __init__(self, database: Database, store: ImageStore, worker: BoundedWorker) -> None:
        self._database = database
        self._store = store
        self._worker = worker
        self._under_way: set[asyncio.Task[Any]] = set()

    async def add(self, upload: Upload, *, deadline: Deadline) -> tuple[ImageRecord, bool]:
        """File an image; return its record, and whether it is new.

        Raises:
            HashMismatch: the original is not what the record says.
        """
        image_id = uuid7()  # the same at each try, so that files of one that was undone are not left behind
        return await self.to_the_end(
            lambda: self._add(upload, image_id), deadline=deadline, afterwards=lambda _: upload.close()
        )

    async def correct(self, image_id: UUID, correction: Correction, *, deadline: Deadline) -> ImageRecord:
        """Note what a person says instead, and move the file where it now belongs; raise NotFound."""
        return await self.to_the_end(lambda: self._correct(image_id, correction), deadline=deadline)

    async def delete(self, image_id: UUID, *, deadline: Deadline) -> None:
        """Remove an image's row and files; raise NotFound."""
        await self.to_the_end(lambda: self._delete(image_id), deadline=deadline)

    async def open_original(self, image_id: UUID, *, deadline: Deadline) -> tuple[Image, BinaryIO]:
        """Return an image and its original, open; raise NotFound or ImageFileMissing."""
        tries_left = OPEN_TRIES
        while True:
            image = await self._database.read(lambda images: images.get(image_id), deadline=deadline)
            tries_left -= 1
            try:
                return image, await self._worker.run(partial(self._store.open, image.path), deadline=deadline)
            except ImageFileMissing:
                # A correction may have moved it since we read its path, and another one back again.
                if tries_left == 0:
                    raise

    async def read_with_words(self, image_id: UUID, *, deadline: Deadline) -> tuple[Image, bytes]:
        """Return an image and a copy of its original that carries its words; raise NotFound or CannotEmbed."""
        image, file = await self.open_original(image_id, deadline=deadline)

        def copy() -> bytes:
            with file:
                return with_words(file.read(), lineage.record_of(image))

        return image, await self._worker.run(copy, deadline=deadline)

    async def read_preview(self, image_id: UUID, *, deadline: Deadline) -> bytes:
        """Return an image's preview, a JPEG; raise NotFound or ImageFileMissing."""
        await self._database.read(lambda images: images.get(image_id), deadline=deadline)
        return await self._worker.run(lambda: self._store.read(preview_path(image_id)), deadline=deadline)

    @asynccontextmanager
    async def refiling(self) -> AsyncIterator[tuple[ImageRepository, Callable[[Image], Awaitable[None]]]]:
        """Begin a transaction, and hand out what files a locked image under the label that it has then.

        The file has both places until the transaction has ended; then the one that is not needed goes.
        """
        moved: dict[UUID, list[str]] = {}
        try:
            async with self._database.writing() as images:

                async def refile(image: Image) -> None:
                    old, new = image.path, path_of(image)
                    if new != old:
                        moved[image.id] = [old, new]
                        await self._on_disk(lambda: self._store.link(old, new))
                        image.path = new

                yield images, refile
        finally:
            for image_id, paths in moved.items():
                await self.sweep(image_id, *paths)

    async def to_the_end(
        self,
        work: Callable[[], Coroutine[Any, Any, Result]],
        *,
        deadline: Deadline,
        afterwards: Callable[[object], object] = bool,
    ) -> Result:
        """Wait for a change until the deadline; it is not cut off there.

        Args:
            work: The change, one transaction; begun anew until then when the database has kept nothing of it.
            deadline: Of whoever waits.
            afterwards: Called when the work has come to its end.

        Raises:
            DeadlineExceeded: it goes on.
        """
        remaining_s = deadline.remaining_s()
        task = asyncio.create_task(repeated(work, deadline=deadline))
        task.add_done_callback(afterwards)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may be waiting any more
        await asyncio.wait({task}, timeout=remaining_s)
        if not task.done():
            raise DeadlineExceeded("the change was not finished in time; it goes on")
        return task.result()

    async def sweep(self, image_id: UUID, *paths: str) -> None:
        """Remove those of an image's files that its row does not need, or leave all if the database cannot say.

        The row is locked meanwhile, so that no correction brings a file back into use.
        """
        if not paths:
            return
        try:
            async with self._database.writing() as images:
                image = await images.find_locked(image_id)
                needed = {image.path, preview_path(image_id)} if image else set()
                for path in set(paths) - needed:
                    await asyncio.to_thread(self._store.remove, path)
        except ServiceError as error:
            log.warning("files_left_behind", extra={"paths": paths, "reason": error.detail})

    async def discard(self, *paths: str) -> None:
        """Remove the files of an image that never had a row."""
        try:
            for path in paths:
                await asyncio.to_thread(self._store.remove, path)
        except ServiceError as error:
            log.warning("files_left_behind", extra={"paths": paths, "reason": error.detail})

    async def finish(self) -> None:
        """Wait for all that is under way."""
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _add(self, upload: Upload, image_id: UUID) -> tuple[ImageRecord, bool]:
        upload.rewind()
        sha256, size_bytes = await self._on_disk(lambda: hash_and_size(upload.original))
        if sha256 != upload.new.sha256:
            raise HashMismatch(f"the original has SHA-256 {sha256}, the record says {upload.new.sha256}")
        async with self._database.reading() as images:
            known = await images.find_by_sha256(sha256)
        if known is not None:
            return lineage.record_of(known), False
        image = image_of(upload.new, size_bytes=size_bytes, image_id=image_id, said=upload.said)
        files = image.path, preview_path(image_id)
        try:
            await self._on_disk(lambda: self._write(image, upload))
            async with self._database.writing() as images:
                await images.add(image)
                await images.work.want_missing(image, now=image.created_at)
                await images.embeddings.note(image, upload.new.caption)
        except AlreadyStored:
            await self.sweep(image_id, *files)
            return await self._winner(sha256), False
        except OutcomeUnknown:
            await self.sweep(image_id, *files)
            raise
        except StorageUnavailable:  # nothing was kept, so the database, which may be away, need not be asked
            await self.discard(*files)
            raise
        except BaseException:  # also when cancelled: a file without a row must not stay
            await self.sweep(image_id, *files)
            raise
        log.info("image_stored", extra={"image_id": image.id, "label": image.label, "status": image.status})
        return lineage.record_of(image), True

    async def _correct(self, image_id: UUID, correction: Correction) -> ImageRecord:
        async with self.refiling() as (images, refile):
            image = await images.get_locked(image_id)
            words = lineage.corrected(correction)
            image.analyses.extend(words)
            await images.work.settle(image, [word.kind for word in words])
            lineage.refresh(image)
            await refile(image)
        log.info("image_corrected", extra={"image_id": image_id, "label": image.label})
        return lineage.record_of(image)

    async def _delete(self, image_id: UUID) -> None:
        await self._on_disk(self._store.check)  # or the files would stay when the row is gone
        files: list[str] = []
        try:
            async with self._database.writing() as images:
                image = await images.get_locked(image_id)
                files += [image.path, preview_path(image_id)]
                await images.remove(image)
        except OutcomeUnknown:
            await self.sweep(image_id, *files)  # which asks whether the row is gone
            raise
        await self.sweep(image_id, *files)
        log.info("image_deleted", extra={"image_id": image_id})

    def _write(self, image: NewRow, upload: Upload) -> None:
        self._store.write(preview_path(image.id), upload.preview)
        self._store.write(image.path, upload.original)

    async def _winner(self, sha256: str) -> ImageRecord:
        async with self._database.reading() as images:
            image = await images.find_by_sha256(sha256)
        if image is None:
            raise StorageUnavailable("the same image was stored and deleted at this moment; try again")
        return lineage.record_of(image)

    async def _on_disk(self, job: Callable[[], Result]) -> Result:
        return await self._worker.run(job, deadline=Deadline.after(FILE_TIMEOUT_S))
