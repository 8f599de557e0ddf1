"""The files of `web/`, kept in memory, compressed and hashed: the page asks for many small ones at once."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import math
import mimetypes
import time
from dataclasses import dataclass
from pathlib import Path

LOOK_AGAIN_S = 1.0
"""Whoever works on the page sees a change this soon."""
WORTH_COMPRESSING = ("text/", "application/json", "application/manifest", "image/svg")


@dataclass(frozen=True)
class PageFile:
    """One file as it goes out."""

    media_type: str
    content: bytes
    compressed: bytes | None
    """With gzip, where that makes it smaller."""
    etag: str
    """A weak validator (RFC 9110, 8.8.1): the same for the file compressed or not."""


class PageFiles:
    """Finds files by their path in the folder, such as `icons/add.svg`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, tuple[int, PageFile]] = {}
        self._looked_at_s = -math.inf
        self._looking = asyncio.Lock()

    async def find(self, path: str) -> PageFile | None:
        """Return a file, or None where there is none of that name."""
        if self._is_old():
            async with self._looking:
                if self._is_old():
                    self._files = await asyncio.to_thread(self._look)
                    self._looked_at_s = time.monotonic()
        found = self._files.get(path)
        return found and found[1]

    def _is_old(self) -> bool:
        return time.monotonic() > self._looked_at_s + LOOK_AGAIN_S

    def _look(self) -> dict[str, tuple[int, PageFile]]:
        seen = {}
        for each in self._folder.rglob("*"):
            if not each.is_file():
                continue
            name, changed_ns = each.relative_to(self._folder).as_posix(), each.stat().st_mtime_ns
            known = self._files.get(name)
            seen[name] = known if known and known[0] == changed_ns else (changed_ns, _read(each))
        return seen


def _read(path: Path) -> PageFile:
    content = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    compressed = gzip.compress(content, mtime=0) if media_type.startswith(WORTH_COMPRESSING) else content
    return PageFile(
        media_type=media_type,
        content=content,
        compressed=compressed if len(compressed) < len(content) else None,
        etag=f'W/"{hashlib.sha256(content).hexdigest()[:32]}"',
    )
