"""Read a stranger's ZIP, entry by entry, without believing what it says of itself.

The ZIP lies in a file, since only the list at its end tells links from files and what overlaps. `zipfile` reads that
list, no longer than it may be, and unpacks in pieces, never more than an entry says that it has; so what the list says
can be held against the limits before anything is unpacked. Nothing is ever written under a name from the ZIP.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from io import SEEK_END
from typing import BinaryIO, cast

from shared.body import readable_size

ZIP_BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06")
READ_BYTES = 256 * 1024
LISTING_BYTES_PER_ENTRY = 512
"""Of the list at the end: a fixed part, the path, and what packers add."""
LEAST_LISTING_BYTES = 1024 * 1024
ALWAYS_PLAUSIBLE_BYTES = 1024 * 1024
"""A small drawing may well be packed a thousand to one."""
LOCAL_HEADER_BYTES = 30

_ENCRYPTED, _UTF8 = 0x1, 0x800
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_SYSTEMS_LITTER = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
# What `zipfile` raises over damaged bytes: its own, and whatever reading nonsense as numbers and names leads to.
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError)
_BEYOND_ZIPFILE = (NotImplementedError, RuntimeError)


class ZipRefused(Exception):
    """A ZIP, or an entry, is not taken; with a stable code, and words for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class ZipLimits:
    """How much one ZIP may hold."""

    entries: int
    entry_bytes: int
    total_bytes: int
    ratio: float


@dataclass(frozen=True)
class Entry:
    """A file in a ZIP."""

    path: str
    """As a person reads it, made harmless."""
    info: zipfile.ZipInfo

    @property
    def filename(self) -> str:
        """The name without its folders."""
        return self.path.rpartition("/")[2]


class ZipReader:
    """One open ZIP; it blocks, and is not for two threads at once."""

    def __init__(self, file: BinaryIO, limits: ZipLimits) -> None:
        """Read and check the list of entries; raises ZipRefused where nothing of the ZIP is taken."""
        self._limits = limits
        most_listing = max(LEAST_LISTING_BYTES, limits.entries * LISTING_BYTES_PER_ENTRY)
        try:
            self._zip = zipfile.ZipFile(cast("BinaryIO", _ShortReads(file, most_listing)))
        except _DAMAGE as error:
            raise ZipRefused("broken_zip", "the ZIP is damaged or breaks off: its list cannot be read") from error
        except _BEYOND_ZIPFILE as error:
            raise ZipRefused("broken_zip", f"the ZIP cannot be read: {error}") from error
        listed = self._zip.infolist()
        self._check_whole(listed)
        self.entries = [Entry(path, info) for info in listed if (path := _path(info)) and not _is_litter(info, path)]

    def read(self, entry: Entry) -> bytes:
        """Return an entry's bytes; raises ZipRefused."""
        info = entry.info
        self._check(entry)
        pieces: list[bytes] = []
        try:
            with self._zip.open(info) as unpacked:
                while piece := unpacked.read(READ_BYTES):
                    pieces.append(piece)
        except (*_DAMAGE, *_BEYOND_ZIPFILE) as error:
            raise ZipRefused("broken_zip_entry", "this file is damaged in the ZIP") from error
        content = b"".join(pieces)
        if len(content) != info.file_size:
            raise ZipRefused("broken_zip_entry", "this file is not as long as the ZIP says")
        if content.startswith(ZIP_BEGINNINGS):
            raise ZipRefused("nested_zip", "a ZIP in a ZIP is not unpacked; send it by itself")
        return content

    def close(self) -> None:
        """Let go of the list; the file stays open."""
        self._zip.close()

    def _check_whole(self, listed: list[zipfile.ZipInfo]) -> None:
        limits = self._limits
        if len(listed) > limits.entries:
            raise ZipRefused(
                "zip_too_many_entries", f"the ZIP has {len(listed)} entries; at most {limits.entries} are accepted"
            )
        total = sum(info.file_size for info in listed)
        if total > limits.total_bytes:
            raise ZipRefused(
                "zip_too_large",
                f"unpacked the ZIP has {readable_size(total)}; "
                f"at most {readable_size(limits.total_bytes)} are accepted",
            )
        behind = 0
        for info in sorted(listed, key=lambda info: info.header_offset):
            if info.header_offset < behind:
                raise ZipRefused("zip_overlaps", "entries of the ZIP lie over each other, as no packer writes them")
            behind = info.header_offset + LOCAL_HEADER_BYTES + info.compress_size
        if listed and behind > self._zip.start_dir:
            raise ZipRefused("zip_overlaps", "an entry of the ZIP lies over its list, as no packer writes it")

    def _check(self, entry: Entry) -> None:
        info, limits = entry.info, self._limits
        mode = info.external_attr >> 16
        if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
            raise ZipRefused("special_entry", "links and devices are not taken from a ZIP; pack the picture itself")
        if info.flag_bits & _ENCRYPTED:
            raise ZipRefused("encrypted_entry", "this file is encrypted; pack it without a password")
        if info.compress_type not in _METHODS:
            raise ZipRefused(
                "unsupported_compression", "this file is packed by another method than Deflate; pack it anew"
            )
        if info.file_size > limits.entry_bytes:
            raise ZipRefused(
                "image_too_large",
                f"the image has {readable_size(info.file_size)}; "
                f"at most {readable_size(limits.entry_bytes)} are accepted",
            )
        if info.file_size > max(ALWAYS_PLAUSIBLE_BYTES, limits.ratio * info.compress_size):
            raise ZipRefused(
                "suspicious_compression", f"this file is packed more than {limits.ratio:g} to one, as no picture is"
            )
        if entry.filename.lower().endswith(".zip"):
            raise ZipRefused("nested_zip", "a ZIP in a ZIP is not unpacked; send it by itself")


class _ShortReads:
    """A file of which nobody reads more at once than a list of entries may have."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file = file
        self._most = most

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            at = self._file.tell()
            size = self._file.seek(0, SEEK_END) - at
            self._file.seek(at)
        if size > self._most:
            raise zipfile.BadZipFile("a longer list than this many entries have")
        return self._file.read(size)

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


def _path(info: zipfile.ZipInfo) -> str:
    """Return an entry's path with `/` between its parts: no root, no drive, nothing that climbs; empty for a folder."""
    name = info.filename
    if not info.flag_bits & _UTF8:
        try:
            name = name.encode("cp437").decode("utf-8")  # many packers write UTF-8 without saying so
        except UnicodeError:
            name = info.filename
    if name.endswith(("/", "\\")):
        return ""
    parts = re.split(r"[/\\]", re.sub(r"^[A-Za-z]:", "", name))
    return "/".join(part for part in parts if part not in {"", ".", ".."})


def _is_litter(info: zipfile.ZipInfo, path: str) -> bool:
    """Tell what systems leave in ZIPs and what is hidden; nobody means it."""
    parts = path.lower().split("/")
    return info.is_dir() or any(part.startswith(".") or part in _SYSTEMS_LITTER for part in parts)
