"""Stream images as a ZIP while they are looked up: nothing is gathered, so that the first bytes come at once.

The ZIP is made on a thread, one piece at a time as the client takes them; the thread asks the event loop for the next
page of images. What grows with an export is the list of its files that stands at the end of every ZIP.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator
from dataclasses import replace
from typing import Any, BinaryIO, TypeVar
from uuid import UUID

from stream_zip import stream_zip

from shared.deadline import Deadline
from shared.errors import DeadlineExceeded, Overloaded
from shared.worker import BoundedWorker
from storage_service import lineage
from storage_service.cursors import Cursor
from storage_service.database import Database
from storage_service.export_members import ExportMembers, Filed, Sidecars
from storage_service.image_store import ImageStore
from storage_service.pages import PageQuery
from storage_service.tables import Image

log = logging.getLogger(__name__)

STEP_TIMEOUT_S = 60.0
PAGE_IMAGES = 100
PIECE_BYTES = 256 * 1024

Answer = TypeVar("Answer")


class Exports:
    """All exports that are under way."""

    def __init__(self, database: Database, store: ImageStore, *, at_once: int) -> None:
        self._database = database
        self._store = store
        self._at_once = at_once
        self._running = 0
        # A thread for each; one more job each may wait for a step that its client did not wait for.
        self._worker = BoundedWorker("storage-export", threads=at_once, waiting=at_once)

    async def stream(self, asked: PageQuery | list[UUID], *, sidecar: Sidecars | None) -> AsyncGenerator[bytes]:
        """Yield the ZIP of all images that a query finds, whatever page it asks for, or of those with these ids.

        Raises:
            Overloaded: as many exports as may be are under way.
            DeadlineExceeded: the next piece took more than STEP_TIMEOUT_S.
            StorageUnavailable: the database or the store do not answer; also in the middle.
        """
        if self._running >= self._at_once:
            raise Overloaded(f"{self._running} exports are under way already; try again later", retry_after_s=30)
        self._running += 1
        source = _Source(self._database, self._store, asked, asyncio.get_running_loop())
        pieces = _Pieces(ExportMembers(source, sidecar))
        try:
            while piece := await self._worker.run(pieces.next, deadline=Deadline.after(STEP_TIMEOUT_S)):
                yield piece
            log.info("exported", extra={"images": source.images_seen})
        finally:
            self._running -= 1
            # Not awaited: whoever gives up an export cancels all that it waits for.
            asyncio.get_running_loop().run_in_executor(None, pieces.close)

    def close(self) -> None:
        """Let the threads go."""
        self._worker.close()


class _Pieces:
    """The ZIP's bytes, one piece at a time; it may be closed from another thread."""

    def __init__(self, members: ExportMembers) -> None:
        self._lock = threading.Lock()
        self._members = iter(members)
        self._pieces = iter(stream_zip(self._members, chunk_size=PIECE_BYTES))
        self._is_closed = False

    def next(self) -> bytes:
        with self._lock:
            return b"" if self._is_closed else next(self._pieces, b"")

    def close(self) -> None:
        """Close the files that are open; waits for a piece that is being made."""
        with self._lock:
            self._is_closed = True
            self._members.close()


class _Source:
    """The database and the store as the export's thread sees them."""

    def __init__(
        self, database: Database, store: ImageStore, asked: PageQuery | list[UUID], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._database = database
        self._asked = asked
        self._loop = loop
        self._store = store
        self.images_seen = 0

    def images(self) -> Iterator[Filed]:
        for page in self._found(self._asked) if isinstance(self._asked, PageQuery) else self._chosen(self._asked):
            self.images_seen += len(page)
            yield from page

    def image(self, image_id: UUID) -> Filed:
        return self._ask(self._image(image_id))

    def open(self, path: str) -> BinaryIO:
        return self._store.open(path)

    def _found(self, asked: PageQuery) -> Iterator[list[Filed]]:
        query = replace(asked, sort="newest", limit=PAGE_IMAGES, after=None)
        while True:
            page, after = self._ask(self._page(query))
            yield page
            if after is None:
                return
            query = replace(query, after=after)

    def _chosen(self, ids: list[UUID]) -> Iterator[list[Filed]]:
        chosen = list(dict.fromkeys(ids))
        for first in range(0, len(chosen), PAGE_IMAGES):
            yield self._ask(self._some(chosen[first : first + PAGE_IMAGES]))

    async def _some(self, ids: list[UUID]) -> list[Filed]:
        async with self._database.reading() as images:
            found = await images.find_all(ids)
        return [_filed(found[image_id]) for image_id in ids if image_id in found]

    async def _page(self, query: PageQuery) -> tuple[list[Filed], Cursor | None]:
        async with self._database.reading() as images:
            page, last = await images.page(query)
        return [_filed(image) for image in page], last

    async def _image(self, image_id: UUID) -> Filed:
        async with self._database.reading() as images:
            return _filed(await images.get(image_id))

    def _ask(self, question: Coroutine[Any, Any, Answer]) -> Answer:
        asked = asyncio.run_coroutine_threadsafe(question, self._loop)
        try:
            return asked.result(STEP_TIMEOUT_S)
        except TimeoutError as error:
            asked.cancel()
            raise DeadlineExceeded("the database did not answer in time") from error


def _filed(image: Image) -> Filed:
    return Filed(lineage.record_of(image), image.path)
