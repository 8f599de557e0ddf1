"""Keep files in a folder tree that a person can open, so that a crash leaves each file whole or not there.

A file is written under `.incoming`, synced, and only then renamed to its place; folders are synced after each change.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote
from uuid import uuid4

from shared.app import StartupError
from storage_service.errors import ImageFileMissing, StorageUnavailable

log = logging.getLogger(__name__)

_INCOMING = ".incoming"
_CANNOT_LINK = (errno.EPERM, errno.ENOTSUP, errno.EXDEV, errno.EMLINK, errno.ENOSYS)
_PLACING_ATTEMPTS = 20


class ImageStore:
    """Files below one folder; paths are relative to it. Every method blocks."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / _INCOMING

    def prepare(self) -> None:
        """Make the folder if need be, and check it."""
        with _failures():
            self._incoming.mkdir(parents=True, exist_ok=True)
        self.check()

    def check(self) -> None:
        """Raise StorageUnavailable unless files can be written to the folder."""
        with _failures():
            if not os.access(self._incoming, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self._root))

    def write(self, path: str, content: BinaryIO) -> None:
        """Put a file in its place, synced."""
        with _failures(), self._incoming_file() as incoming:
            _write_synced(incoming, content)
            self._place(path, incoming.replace)

    def write_all(self, files: Iterable[tuple[str, BinaryIO]]) -> None:
        """Put files in their places, synced; each folder once, at the end."""
        folders: set[Path] = set()
        with _failures():
            for path, content in files:
                with self._incoming_file() as incoming:
                    _write_synced(incoming, content)
                    folders.add(self._put(path, incoming.replace))
            for folder in folders:
                _sync_folder(folder)

    def link(self, path: str, second: str) -> None:
        """Let a file have a second path; where the file system knows no links, copy it.

        Raises:
            ImageFileMissing: there is no such file.
        """
        with _failures(path):
            try:
                self._place(second, lambda place: _link(self._root / path, place))
            except OSError as error:
                if error.errno not in _CANNOT_LINK:
                    raise
                with (self._root / path).open("rb") as content:
                    self.write(second, content)

    def remove(self, path: str) -> None:
        """Remove a file, if it is there, and its label's folder, if that was the last in it."""
        with _failures():
            file = self._root / path
            file.unlink(missing_ok=True)
            with contextlib.suppress(FileNotFoundError):
                _sync_folder(file.parent)
            if not file.parent.name.startswith("."):
                with contextlib.suppress(OSError):  # others lie in it
                    file.parent.rmdir()

    def open(self, path: str) -> BinaryIO:
        """Open a file; it stays readable when it is moved or removed meanwhile.

        Raises:
            ImageFileMissing: there is no such file.
        """
        with _failures(path):
            return (self._root / path).open("rb")

    def read(self, path: str) -> bytes:
        """Return a file's bytes; raise ImageFileMissing."""
        with self.open(path) as file:
            return file.read()

    @contextlib.contextmanager
    def _incoming_file(self) -> Iterator[Path]:
        self._incoming.mkdir(exist_ok=True)
        file = self._incoming / uuid4().hex
        try:
            yield file
        finally:
            file.unlink(missing_ok=True)

    def _place(self, path: str, put: Callable[[Path], object]) -> None:
        _sync_folder(self._put(path, put))

    def _put(self, path: str, put: Callable[[Path], object]) -> Path:
        """Return the folder that a file is in now; whoever calls syncs it."""
        place = self._root / path
        for attempts_left in reversed(range(_PLACING_ATTEMPTS)):
            try:
                if not place.parent.exists():
                    place.parent.mkdir(exist_ok=True)
                    _sync_folder(self._root)
                put(place)
            except (FileNotFoundError, FileExistsError):  # `remove` may just have taken the empty folder away
                if not attempts_left:
                    raise
            else:
                break
        return place.parent


def open_store(store_url: str) -> ImageStore:
    """Return the store at a URL, ready to be written to.

    Raises:
        StartupError: there cannot be a store.
    """
    scheme, separator, place = store_url.partition("://")
    if scheme != "file" or not separator or not place:
        raise StartupError(f"STORAGE_STORE_URL must be file:// and a folder, not {store_url!r}")
    store = ImageStore(Path(unquote(place)).absolute())
    try:
        store.prepare()
    except StorageUnavailable as error:
        raise StartupError(f"the folder {unquote(place)} cannot be used: {error.__cause__}") from error
    return store


def _link(file: Path, second: Path) -> None:
    with contextlib.suppress(FileExistsError):  # it has the same id in its name: it is the same image
        os.link(file, second)


def _write_synced(place: Path, content: BinaryIO) -> None:
    with place.open("xb") as file:
        shutil.copyfileobj(content, file)
        _sync_file(file)


def _sync_file(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _failures(path: str | None = None) -> Iterator[None]:
    """Say what a failing file system means; `path` is the file that must exist, if one must."""
    try:
        yield
    except FileNotFoundError as error:
        if path is None:
            raise _unavailable(error) from error
        log.error("image_file_missing", extra={"path": path})
        raise ImageFileMissing(f"the file {path} is not in the store any more") from error
    except OSError as error:
        raise _unavailable(error) from error


def _unavailable(error: OSError) -> StorageUnavailable:
    log.error("store_failed", extra={"reason": str(error)})
    return StorageUnavailable(f"the store does not take or give files: {error.strerror}")
