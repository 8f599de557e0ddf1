"""Put one file in its place: whole or not at all, and never over another one.

A name is taken by making a hard link to the finished file, which fails where the name exists; replacing by rename
would not. On file systems without hard links (memory cards) an empty file takes the name first.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Set as AbstractSet
from itertools import count
from pathlib import Path

from shared.artifacts import file_sha256

PART_NAME = ".classify-sort.part"
"""What a file is called in its label's folder until it is whole."""

COPY_STEP_BYTES = 1024 * 1024

_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}


class SourceChanged(OSError):
    """The file is not the one that was classified."""

    def __init__(self) -> None:
        super().__init__(errno.EBUSY, "it changed while it was being sorted; run the command again")


def find_place(source: Path, folder: Path, *, sha256: str | None, taken: AbstractSet[Path]) -> tuple[Path, bool]:
    """Return where in `folder` a file belongs, and whether it is there already.

    Args:
        source: The file.
        folder: Its label's folder; need not exist.
        sha256: The file's content; a file with this content is taken for this one. None: no other file is.
        taken: Paths that other files of the same run were given.
    """
    for number in count(1):
        name = source.name if number == 1 else f"{source.stem} ({number}){source.suffix}"
        place = folder / name
        if place in taken:
            continue
        if not os.path.lexists(place):
            return place, False
        if place.resolve() == source or (sha256 is not None and has_content(place, sha256)):
            return place, True
    raise AssertionError("counting never ends")


def has_content(file: Path, sha256: str) -> bool:
    """Whether this is a file, no symbolic link, of just this content."""
    return file.is_file() and not file.is_symlink() and file_sha256(file) == sha256


def copy_file(source: Path, destination: Path, *, sha256: str) -> None:
    """Copy a file, with its times and its mode.

    Raises:
        FileExistsError: the name is taken.
        SourceChanged: its content is not `sha256`.
        OSError: it cannot be read or written; nothing is left behind.
    """
    part = destination.with_name(PART_NAME)
    digest = hashlib.sha256()
    try:
        with source.open("rb") as original, part.open("wb") as copy:
            while step := original.read(COPY_STEP_BYTES):
                digest.update(step)
                copy.write(step)
            copy.flush()
            os.fsync(copy.fileno())
        if digest.hexdigest() != sha256:
            raise SourceChanged
        with contextlib.suppress(OSError):  # memory cards keep no modes
            shutil.copystat(source, part)
        try:
            os.link(part, destination)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _rename(part, destination)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(destination.parent)


def move_file(source: Path, destination: Path, *, sha256: str) -> None:
    """Move a file, also to another file system; raises as `copy_file` does."""
    try:
        os.link(source, destination, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NO_LINKS:
            _rename(source, destination)
            sync_folder(destination.parent)
            return
        if error.errno != errno.EXDEV:
            raise
        copy_file(source, destination, sha256=sha256)
    sync_folder(destination.parent)
    try:
        source.unlink()
    except OSError:
        destination.unlink()
        raise


def link_file(source: Path, destination: Path, *, sha256: str) -> None:  # noqa: ARG001 - one shape with the other two
    """Give a file a second name.

    Raises:
        FileExistsError: the name is taken.
        OSError: the file system has no hard links, or the name would be on another one.
    """
    try:
        os.link(source, destination, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS | {errno.EXDEV}:
            raise
        raise OSError(error.errno, f"no hard link is possible here ({error.strerror}); use --copy") from error
    sync_folder(destination.parent)


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk, where its file system can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _rename(source: Path, destination: Path) -> None:
    """Rename without hard links; an empty file holds the name until then."""
    os.close(os.open(destination, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    try:
        source.replace(destination)
    except OSError:
        destination.unlink()
        raise
