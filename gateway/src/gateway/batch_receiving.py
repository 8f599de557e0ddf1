"""Take batches in: thousands of files in a request, of which a few at a time are held in memory.

Nothing waits for models; what came before a failure stays.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

from gateway.batch_client import Batches
from gateway.batch_limits import BatchLimits
from gateway.batch_reception import Reception
from gateway.file_parts import Piece
from gateway.uploads import Uploads
from shared.errors import Overloaded
from shared.upload_batches import UploadBatch


class BatchReceiving:
    """Takes batches in."""

    def __init__(self, *, batches: Batches, uploads: Uploads, limits: BatchLimits) -> None:
        self._batches = batches
        self._uploads = uploads
        self._limits = limits
        self._in_progress = 0

    @contextlib.contextmanager
    def admitted(self) -> Iterator[None]:
        """Count one batch while it lasts; raises Overloaded where as many as are allowed are being received."""
        if self._in_progress >= self._limits.batches_at_once:
            raise Overloaded(
                f"{self._in_progress} batches are being received already; try again later", retry_after_s=5
            )
        self._in_progress += 1
        try:
            yield
        finally:
            self._in_progress -= 1

    async def receive(self, pieces: AsyncIterator[Piece], batch_id: UUID | None) -> UploadBatch:
        """Take all files in, and return the batch.

        What came before a failure stays, and the batch says that it was interrupted, and why.

        Raises:
            NoFiles: none came; there is no batch then.
            TooManyFiles, ImageTooLarge, BadRequest, DeadlineExceeded: the sending cannot go on.
            BatchCancelled: somebody cancelled it meanwhile.
            Overloaded, UpstreamFailed: files cannot be stored now.
        """
        reception = Reception(self._batches, self._uploads, self._limits, batch_id)
        try:
            async for piece in pieces:
                await reception.take(piece)
            return await reception.finish()
        except BaseException as error:
            await reception.break_off(error)
            raise
