"""Where the image files lie, as everything else in storage sees it: a folder and a bucket keep the same promises.

A file is whole or not there, whatever is cut off in the middle; its path is relative, with `/` between the parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote

from shared.app import StartupError
from storage_service.bucket_store import BucketAccess, BucketStore
from storage_service.errors import StorageUnavailable
from storage_service.folder_store import FolderStore
from storage_service.stored_files import StoredFile


class ImageStore(Protocol):
    """Files by their paths. Every method blocks, and raises StorageUnavailable where the store does not work now."""

    def prepare(self) -> None:
        """Make the place for the files if need be, and see whether they can be written there."""

    def check(self) -> None:
        """Raise StorageUnavailable unless the store works; one that could not be prepared is prepared now."""

    def write(self, path: str, content: BinaryIO) -> None:
        """Put a file in its place; once this returns, it survives a crash."""

    def write_all(self, files: Iterable[tuple[str, BinaryIO]]) -> None:
        """Put files in their places; once this returns, all of them survive a crash."""

    def link(self, path: str, second: str) -> None:
        """Let a file have a second path, as a link or a copy; raise ImageFileMissing."""

    def remove(self, path: str) -> None:
        """Remove a file, if it is there; a label without images has no folder."""

    def set_aside(self, path: str) -> str:
        """Move a file below `.orphans`, overwriting nothing; return its new path, or raise ImageFileMissing."""

    def open(self, path: str) -> BinaryIO:
        """Open a file; it stays readable when it is moved or removed meanwhile. Raises ImageFileMissing."""

    def read(self, path: str) -> bytes:
        """Return a file's bytes; raise ImageFileMissing."""

    def find(self, path: str) -> StoredFile | None:
        """Return what is known of a file without reading it, or None where there is none."""

    def files(self) -> Iterator[StoredFile]:
        """Yield every file but those set aside, in no order; what comes, moves or goes meanwhile may be missed."""


def open_store(store_url: str, *, access: BucketAccess | None = None) -> ImageStore:
    """Return the store at a URL, made if need be; one that does not work now is logged, and used as soon as it does.

    Args:
        store_url: `file://FOLDER` or `s3://BUCKET/PREFIX`.
        access: How to reach the bucket, if it is one.

    Raises:
        StartupError: there cannot be a store.
    """
    store = store_at(store_url, access=access)
    try:
        store.prepare()
    except StorageUnavailable as error:
        if _is_in_the_way(error.__cause__):
            raise StartupError(f"the folder of {store_url} cannot be used: {error.__cause__}") from error
    return store


def store_at(store_url: str, *, access: BucketAccess | None = None) -> ImageStore:
    """Return the store at a URL as it is; nothing is made, and nothing asked yet.

    Raises:
        StartupError: the URL is not one of a store.
    """
    scheme, separator, place = store_url.partition("://")
    bucket, _, prefix = place.partition("/")
    if scheme == "file" and separator and place:
        return FolderStore(Path(unquote(place)).absolute())
    if scheme == "s3" and separator and bucket:
        return BucketStore(bucket, prefix.strip("/"), access or BucketAccess())
    raise StartupError(f"STORAGE_STORE_URL must be file:// and a folder, or s3:// and a bucket, not {store_url!r}")


def _is_in_the_way(cause: BaseException | None) -> bool:
    """Say whether a file lies where the folder should: waiting will not help, as it may with a disk that is away."""
    return isinstance(cause, NotADirectoryError) or (
        isinstance(cause, FileExistsError) and Path(cause.filename).exists()  # else it is a link to nowhere
    )
