"""The files of one export, one after the other: originals, their sidecars, and at the end the table of all.

Everything here blocks and runs on a thread; what must be asked of the database is asked through `Source`. Each
original is read twice, first for its length, CRC and hash: so the ZIP needs no data descriptors, which programs that
unpack from a stream cannot read, and a file that is not what was uploaded is noted in the table.
"""

from __future__ import annotations

import hashlib
import tempfile
import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, Protocol
from uuid import UUID

from stream_zip import NO_COMPRESSION_32, NO_COMPRESSION_64, ZIP_AUTO, MemberFile, Method

from shared.contracts import ImageRecord
from shared.errors import NotFound
from storage_service.captions_table import NAME, CaptionsTable
from storage_service.errors import ImageFileMissing
from storage_service.export_names import ExportedNames

READ_BYTES = 256 * 1024
FILE_MODE = 0o100644
OPEN_TRIES = 5

# Entries beyond these might pass what 32 and 16 bits can tell; the last part of each is left for the directory.
ZIP32_MOST_BYTES = 0xF000_0000
ZIP32_MOST_FILES = 60_000
_HEADERS_BYTES = 256


@dataclass(frozen=True)
class Filed:
    """An image and where its original lies in the store."""

    record: ImageRecord
    path: str


class Source(Protocol):
    """Where the images come from; every method blocks."""

    def images(self) -> Iterator[Filed]:
        """Yield the images asked for, newest first."""

    def image(self, image_id: UUID) -> Filed:
        """Return an image as it is now; raise NotFound."""

    def open(self, path: str) -> BinaryIO:
        """Open an original; raise ImageFileMissing."""


class Sidecars(Protocol):
    """What writes an image's words for other programs."""

    def __call__(self, record: ImageRecord) -> bytes | None:
        """Return a sidecar, or None where there is nothing to say."""


class ExportMembers:
    """Makes the members of one ZIP."""

    def __init__(self, source: Source, sidecar: Sidecars | None) -> None:
        self._source = source
        self._sidecar = sidecar
        self._names = ExportedNames()
        self._bytes = self._files = 0

    def __iter__(self) -> Generator[MemberFile]:
        """Yield each member; its content is read while the next one is not asked for yet."""
        with tempfile.TemporaryFile() as file:
            table = CaptionsTable(file)
            for filed in self._source.images():
                yield from self._image(filed, table)
            size_bytes = table.finish()
            yield NAME, datetime.now(UTC), FILE_MODE, ZIP_AUTO(size_bytes), _chunks(file)

    def _image(self, filed: Filed, table: CaptionsTable) -> Iterator[MemberFile]:
        try:
            filed, original = self._open(filed)
        except NotFound:
            table.add(filed.record, file="", note="left out: it was deleted while the export ran")
            return
        except ImageFileMissing:
            table.add(filed.record, file="", note="left out: its file is not in the store any more")
            return
        record = filed.record
        with original:
            size_bytes, crc, sha256 = _measure(original)
            path = self._names.path_of(record)
            method = self._stored(path, size_bytes, crc)
            yield path, record.created_at, FILE_MODE, method, _chunks(original)
        table.add(record, file=path, note="" if sha256 == record.sha256 else "its bytes are not those uploaded")
        if self._sidecar and (sidecar := self._sidecar(record)) is not None:
            name = f"{path}.xmp"
            yield name, record.created_at, FILE_MODE, self._stored(name, len(sidecar), zlib.crc32(sidecar)), (sidecar,)

    def _open(self, filed: Filed) -> tuple[Filed, BinaryIO]:
        for tries_left in reversed(range(OPEN_TRIES)):
            try:
                return filed, self._source.open(filed.path)
            except ImageFileMissing:
                # A correction may have moved it since its page was read, and another one back again.
                if not tries_left:
                    raise
                filed = self._source.image(filed.record.id)
        raise AssertionError("the last try returns or raises")

    def _stored(self, name: str, size_bytes: int, crc: int) -> Method:
        """Pictures are compressed already, so they are stored; large archives get ZIP64's wider fields."""
        self._files += 1
        self._bytes += size_bytes + 2 * len(name.encode()) + _HEADERS_BYTES
        fits = self._bytes < ZIP32_MOST_BYTES and self._files < ZIP32_MOST_FILES
        return (NO_COMPRESSION_32 if fits else NO_COMPRESSION_64)(size_bytes, crc)


def _measure(file: BinaryIO) -> tuple[int, int, str]:
    """Return a file's bytes, CRC-32 and SHA-256; it is at its beginning before and after."""
    size_bytes = crc = 0
    sha256 = hashlib.sha256()
    for chunk in _chunks(file):
        size_bytes += len(chunk)
        crc = zlib.crc32(chunk, crc)
        sha256.update(chunk)
    file.seek(0)
    return size_bytes, crc, sha256.hexdigest()


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(READ_BYTES):
        yield chunk
