"""Take one file of a batch as it comes: an image into memory, a ZIP into a file on disk, each up to its limit.

What it is, the first bytes decide, not its name.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from typing import IO

from gateway.zip_reading import ZIP_BEGINNINGS
from shared.body import readable_size
from shared.errors import ImageTooLarge, Overloaded

log = logging.getLogger(__name__)

WRITE_BYTES = 1024 * 1024
_TELLING_BYTES = 4


class IncomingFile:
    """A file of which more and more comes; `close` it in the end."""

    def __init__(self, filename: str, *, image_limit_bytes: int, zip_limit_bytes: int) -> None:
        self.filename = filename
        self.size_bytes = 0
        self._image_limit_bytes = image_limit_bytes
        self._zip_limit_bytes = zip_limit_bytes
        self._held = bytearray()
        self._spooled: IO[bytes] | None = None

    async def write(self, piece: bytes) -> None:
        """Take the next bytes; those over the limit are counted and dropped.

        Raises:
            ImageTooLarge: it is longer than anything that is accepted.
            Overloaded: there is no room for a ZIP now.
        """
        self.size_bytes += len(piece)
        if self.size_bytes > max(self._zip_limit_bytes, self._image_limit_bytes):
            limit = readable_size(self._zip_limit_bytes)
            raise ImageTooLarge(f"{self.filename or 'a file'} is larger than {limit}, the most that a ZIP may have")
        if self._spooled is None and self.size_bytes > self._image_limit_bytes and not self.is_zip:
            self._held.clear()
            return
        self._held += piece
        if self.is_zip and len(self._held) >= WRITE_BYTES:
            await self._spool()

    @property
    def is_zip(self) -> bool:
        """Whether it begins as a ZIP does."""
        return self._spooled is not None or self._held[:_TELLING_BYTES] in ZIP_BEGINNINGS

    def image(self) -> bytes:
        """Return all bytes; raises ImageTooLarge where they were too many to be kept."""
        if self.size_bytes > self._image_limit_bytes:
            raise ImageTooLarge(
                f"the image has {readable_size(self.size_bytes)}; "
                f"at most {readable_size(self._image_limit_bytes)} are accepted"
            )
        return bytes(self._held)

    async def archive(self) -> IO[bytes]:
        """Return the ZIP's file, which lives as long as this."""
        spooled = await self._spool()
        await asyncio.to_thread(spooled.seek, 0)
        return spooled

    def close(self) -> None:
        """Let go of what was kept."""
        self._held = bytearray()
        if self._spooled is not None:
            self._spooled.close()

    async def _spool(self) -> IO[bytes]:
        piece, self._held = self._held, bytearray()
        try:
            if self._spooled is None:
                self._spooled = await asyncio.to_thread(tempfile.TemporaryFile)
            await asyncio.to_thread(self._spooled.write, piece)
        except OSError as error:
            log.error("zip_not_kept", extra={"reason": str(error)})
            raise Overloaded(f"there is no room for the ZIP now: {error.strerror}; try again later") from error
        return self._spooled
