"""What both kinds of store say of a file, and where they keep what is no image of theirs."""

from __future__ import annotations

from dataclasses import dataclass

INCOMING = ".incoming"
"""Files being written; a folder's only."""
PREVIEWS = ".previews"
ORPHANS = ".orphans"
"""What `storage-check --repair` set aside."""
COPY_BYTES = 1024 * 1024

# What Finder, Explorer and the like leave behind in every folder that a person opens.
_LITTER = {".ds_store", "thumbs.db", "desktop.ini", ".localized", ".directory"}


@dataclass(frozen=True)
class StoredFile:
    """A file in the store, without its bytes."""

    path: str
    size_bytes: int
    changed_at_s: float
    """When it was written or came to this path, in seconds since 1970."""


def is_litter(name: str) -> bool:
    """Say whether a file is one that a file browser leaves behind, also macOS' `._` files on foreign disks."""
    return name.lower() in _LITTER or name.startswith("._")
