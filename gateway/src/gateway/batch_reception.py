"""One batch while it is received: each file goes through hygiene and is stored as `pending` when it has come whole.

While a few files are being stored, no more is read, so a client sends as fast as they are stored. A file that is
refused is noted with its reason and refuses nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from typing import BinaryIO, cast
from uuid import UUID

from gateway.batch_account import BatchAccount, BatchCancelled, patiently
from gateway.batch_client import Batches
from gateway.batch_files import IncomingFile
from gateway.batch_limits import BatchLimits, NoFiles, TooManyFiles
from gateway.file_parts import FileBegins, FileEnds, Piece
from gateway.uploads import Uploads
from gateway.zip_reading import Entry, ZipReader, ZipRefused
from shared.batch_contracts import Refusal
from shared.deadline import Deadline
from shared.errors import BadRequest, ServiceError, UnsupportedImage
from shared.upload_batches import NotedFile, UploadBatch

log = logging.getLogger(__name__)

FILES_AT_ONCE = 4
"""Of a batch; so many are held in memory, and one that is still coming."""
COURTESY_S = 0.2
"""So long a file waits for single uploads in progress, which somebody looks at."""
BREAKING_OFF_S = 5.0
NAME_LENGTH = 255
CLIENT_LEFT = (
    "the connection was closed before all files had come; send them again, what is here already is passed over"
)
WE_STOPPED = "the service was stopped before all files had come; send them again, what is here already is passed over"


class Reception:
    """One batch that is being received."""

    def __init__(self, batches: Batches, uploads: Uploads, limits: BatchLimits, batch_id: UUID | None) -> None:
        self._batches = batches
        self._uploads = uploads
        self._limits = limits
        self._batch_id = batch_id
        self._account: BatchAccount | None = None
        self._telling: asyncio.Task[None] | None = None
        self._incoming: IncomingFile | None = None
        self._count = 0
        self._free = asyncio.Semaphore(FILES_AT_ONCE)
        self._storing: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None

    async def take(self, piece: Piece) -> None:
        """Take the next piece of a file; raises as `BatchReceiving.receive` does."""
        self._raise_failure()
        if isinstance(piece, FileBegins):
            self._incoming = IncomingFile(
                piece.filename, image_limit_bytes=self._limits.image_bytes, zip_limit_bytes=self._limits.zip_bytes
            )
        elif self._incoming is None:
            raise BadRequest("bytes came that belong to no file")
        elif isinstance(piece, FileEnds):
            await self._take_whole(self._incoming)
            self._incoming.close()
            self._incoming = None
        else:
            await self._incoming.write(piece)

    async def finish(self) -> UploadBatch:
        """All has come: wait until it is stored and noted."""
        if self._account is None:
            raise NoFiles("choose at least one image or ZIP")
        await self._settle()
        self._raise_failure()
        return await self._account.send(ending="received")

    async def break_off(self, error: BaseException) -> None:
        """Say that no more comes; what is being stored is stored and noted, if that is soon."""
        if self._incoming is not None:
            self._incoming.close()
        if self._account is None:
            return
        why = WE_STOPPED if isinstance(error, asyncio.CancelledError) else CLIENT_LEFT
        reason = error.detail if isinstance(error, ServiceError) else why
        try:
            async with asyncio.timeout(BREAKING_OFF_S):
                await self._settle()
                await self._account.send(ending="interrupted", reason=reason[:500])
        except BatchCancelled:
            await self._cancel_the_rest()
        except (ServiceError, TimeoutError):  # storage notices by itself that no more is heard of the batch
            log.warning("batch_not_ended", extra={"batch_id": self._account.batch.id})
        finally:
            for task in self._storing:
                task.cancel()

    async def _settle(self) -> None:
        """Wait until all that was begun is stored or refused."""
        if self._storing:
            await asyncio.wait(set(self._storing))
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.wait({self._telling})

    async def _cancel_the_rest(self) -> None:
        """What was stored after the cancel was not known to it."""
        account = cast("BatchAccount", self._account)
        try:
            await self._batches.cancel(account.batch.id, deadline=Deadline.after(BREAKING_OFF_S))
        except ServiceError as error:
            log.warning("batch_not_cancelled", extra={"batch_id": account.batch.id, "reason": error.detail})

    async def _take_whole(self, file: IncomingFile) -> None:
        if not file.filename and not file.size_bytes:
            return  # a form of a page, with nothing chosen
        name = file.filename.replace("\\", "/").rpartition("/")[2]
        if file.is_zip:
            await self._unpack(file, name)
            return
        await self._begin_file()
        try:
            image = file.image()
            if not image:
                raise UnsupportedImage("the file is empty")
        except ServiceError as error:
            await self._refuse(name, None, error)
            return
        await self._store(image, name)

    async def _unpack(self, file: IncomingFile, name: str) -> None:
        archive = await file.archive()
        try:
            reader = await asyncio.to_thread(ZipReader, cast("BinaryIO", archive), self._limits.of_zip)
        except ZipRefused as refusal:
            await self._begin_file()
            await self._refuse(name, None, refusal)
            return
        if not reader.entries:
            await self._begin_file()
            await self._refuse(name, None, ZipRefused("empty_zip", "the ZIP has no files"))
        for entry in reader.entries:
            await self._begin_file()
            await self._take_entry(reader, entry, name)

    async def _take_entry(self, reader: ZipReader, entry: Entry, archive: str) -> None:
        try:
            image = await asyncio.to_thread(reader.read, entry)
            if not image:
                raise UnsupportedImage("the file is empty")
        except (ZipRefused, ServiceError) as refusal:
            await self._refuse(entry.path, archive, refusal)
            return
        await self._store(image, entry.path, archive)

    async def _begin_file(self) -> None:
        self._raise_failure()  # a ZIP has many files in one piece
        if self._count >= self._limits.files:
            raise TooManyFiles(
                f"a batch has at most {self._limits.files} files, those in ZIPs included; "
                "the first of them are kept, send the others as another batch"
            )
        self._count += 1
        if self._account is None:
            self._account = await BatchAccount.begin(self._batches, self._batch_id)
            self._telling = asyncio.create_task(self._account.keep_telling())
            self._telling.add_done_callback(self._note_failure)

    async def _store(self, image: bytes, path: str, archive: str | None = None) -> None:
        await self._free.acquire()
        task = asyncio.create_task(self._keep(image, path, archive))
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)
        task.add_done_callback(self._note_failure)
        task.add_done_callback(lambda _: self._free.release())

    async def _keep(self, image: bytes, path: str, archive: str | None) -> None:
        name = path.rpartition("/")[2]
        await self._uploads.wait_for_quiet(at_most_s=COURTESY_S)
        try:
            record, is_new = await patiently(
                lambda deadline: self._uploads.keep(image, name, deadline=deadline),
                timeout_s=self._limits.file_timeout_s,
            )
        except ServiceError as error:
            if error.status >= 500:
                raise
            await self._refuse(path, archive, error)
            return
        await self._note(path, archive, image_id=record.id, is_known=not is_new)

    async def _refuse(self, name: str, archive: str | None, refusal: ZipRefused | ServiceError) -> None:
        await self._note(name, archive, refusal=Refusal(code=refusal.code, detail=refusal.detail))

    async def _note(self, name: str, archive: str | None, **outcome: object) -> None:
        file = {"filename": _short(name), "archive": archive and _short(archive)} | outcome
        await cast("BatchAccount", self._account).add(NotedFile.model_validate(file | {"position": 1}))

    def _note_failure(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = self._failure or error

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


def _short(name: str) -> str:
    """Return a name of a length that is kept; the ending tells most."""
    return name[-NAME_LENGTH:]
