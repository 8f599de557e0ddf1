"""Keep files in a folder tree that a person can open, so that a crash leaves each file whole or not there.

A file is written under `.incoming`, synced, and only then renamed to its place; folders are synced after each change.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from storage_service.errors import ImageFileMissing, StorageUnavailable
from storage_service.stored_files import COPY_BYTES, INCOMING, ORPHANS, StoredFile, is_litter

log = logging.getLogger(__name__)

_CANNOT_LINK = (errno.EPERM, errno.ENOTSUP, errno.EXDEV, errno.EMLINK, errno.ENOSYS)
_PLACING_ATTEMPTS = 20
_SYNCED_TOGETHER = 32
"""So many files are open at a time."""


class FolderStore:
    """Files below one folder; what the methods promise stands in `ImageStore`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / INCOMING
        self._is_prepared = False

    def prepare(self) -> None:
        """Make the folder if need be, and check it."""
        with _failures():
            self._incoming.mkdir(parents=True, exist_ok=True)
        self._is_prepared = True
        self.check()

    def check(self) -> None:
        """Raise StorageUnavailable unless files can be written to the folder; once there, it is not made again."""
        if not self._is_prepared:
            self.prepare()
            return
        with _failures():
            self._root.stat()
            if not os.access(self._root, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self._root))

    def write(self, path: str, content: BinaryIO) -> None:
        """Put a file in its place, synced."""
        self.write_all([(path, content)])

    def write_all(self, files: Iterable[tuple[str, BinaryIO]]) -> None:
        """Put files in their places, synced; each folder once, at the end."""
        waiting = iter(files)
        folders: set[str] = set()
        with _failures():
            self._incoming.mkdir(exist_ok=True)
            while some := list(itertools.islice(waiting, _SYNCED_TOGETHER)):
                folders |= self._write_some(some)
            for folder in folders:
                _sync_folder(folder)

    def link(self, path: str, second: str) -> None:
        """Let a file have a second path; where the file system knows no links, copy it."""
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
            self._leave(file.parent)

    def set_aside(self, path: str) -> str:
        """Move a file below `.orphans`, under another name where that one is taken."""
        with _failures(path):
            file = self._root / path
            aside = f"{ORPHANS}/{path}"
            if os.path.lexists(self._root / aside):
                aside = f"{ORPHANS}/{uuid4().hex[:8]}/{path}"
            self._place(aside, file.rename)
            self._leave(file.parent)
            return aside

    def open(self, path: str) -> BinaryIO:
        """Open a file."""
        with _failures(path):
            return open(self._place_of(path), "rb")  # whoever asked closes it

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        with self.open(path) as file:
            return file.read()

    def find(self, path: str) -> StoredFile | None:
        """Return what is known of a file."""
        with _failures():
            try:
                return _described(path, (self._root / path).stat())
            except (FileNotFoundError, NotADirectoryError):
                self._root.stat()  # a folder that is away has lost no file
                return None

    def files(self) -> Iterator[StoredFile]:
        """Yield every file; a label's folder may be a link to elsewhere, nothing else is followed."""
        with _failures():
            folders = ["/"]
            while folders:
                yield from self._files_in(folders.pop(), folders)

    def _files_in(self, folder: str, folders: list[str]) -> Iterator[StoredFile]:
        """Yield a folder's files, and note what folders lie in it."""
        try:
            with os.scandir(self._root / folder.strip("/")) as entries:
                for entry in entries:
                    path = f"{folder}{entry.name}".lstrip("/")
                    if entry.is_dir(follow_symlinks=folder == "/"):
                        if path != ORPHANS:
                            folders.append(f"/{path}/")
                    elif entry.is_file(follow_symlinks=False) and not is_litter(entry.name):
                        with contextlib.suppress(FileNotFoundError):  # it has just been moved or removed
                            yield _described(path, entry.stat(follow_symlinks=False))
        except FileNotFoundError:
            if folder == "/":
                raise

    def _place_of(self, path: str) -> str:
        """Return where a file is, as text: of paths Python remembers every name for a while, in a table that grows."""
        return f"{self._root}/{path}"

    def _write_some(self, files: Sequence[tuple[str, BinaryIO]]) -> set[str]:
        """Put few files in their places, synced, and return the folders that they are in, which are not.

        All are written before the first is synced: most of them are on the disk by then.
        """
        incoming = [self._place_of(f"{INCOMING}/{uuid4().hex}") for _ in files]
        try:
            with contextlib.ExitStack() as opened:
                written = [opened.enter_context(open(place, "xb")) for place in incoming]
                for file, (_, content) in zip(written, files, strict=True):
                    shutil.copyfileobj(content, file, COPY_BYTES)
                for file in written:
                    _sync_file(file)
            return {
                self._put(path, partial(os.replace, place)) for place, (path, _) in zip(incoming, files, strict=True)
            }
        except BaseException:  # also when the process is told to end: half a file must not stay
            for place in incoming:
                Path(place).unlink(missing_ok=True)
            raise

    def _place(self, path: str, put: Callable[[str], object]) -> None:
        _sync_folder(self._put(path, put))

    def _put(self, path: str, put: Callable[[str], object]) -> str:
        """Return the folder that a file is in now; whoever calls syncs it."""
        place = self._place_of(path)
        folder = os.path.dirname(place)
        for attempts_left in reversed(range(_PLACING_ATTEMPTS)):
            try:
                put(place)
                break
            except FileNotFoundError:  # also again and again, if `remove` takes the empty folder away
                if not attempts_left:
                    raise
            with contextlib.suppress(FileNotFoundError, FileExistsError):
                self._make_folder(Path(folder))
        return folder

    def _make_folder(self, folder: Path) -> None:
        if folder == self._root or folder.exists():
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)

    def _leave(self, folder: Path) -> None:
        """Sync a folder that a file has gone from, and remove it if it is a label's and empty."""
        with contextlib.suppress(FileNotFoundError):
            _sync_folder(folder)
        if folder != self._root and not folder.name.startswith("."):
            with contextlib.suppress(OSError):  # others lie in it
                folder.rmdir()


def _described(path: str, status: os.stat_result) -> StoredFile:
    # The time of a rename or a link is that of the inode; the file's own is that of its bytes.
    return StoredFile(path, status.st_size, max(status.st_ctime, status.st_mtime))


def _link(file: Path, second: str) -> None:
    with contextlib.suppress(FileExistsError):  # it has the same id in its name: it is the same image
        os.link(file, second)


def _sync_file(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: str | Path) -> None:
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
