"""Which files of a folder are sorted: all regular ones, but no hidden ones, nothing behind a symbolic link."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Found:
    """What lies in a folder."""

    files: list[Path]
    passed_over: list[tuple[Path, str]]
    """What cannot be sorted, and why."""


def find_files(folder: Path, *, without: Path) -> Found:
    """Return the files below `folder` in the order of their paths.

    Args:
        folder: Resolved.
        without: Resolved; this folder is not entered.
    """
    files: list[Path] = []
    passed_over: list[tuple[Path, str]] = []

    def note(error: OSError) -> None:
        passed_over.append((Path(error.filename), f"the folder cannot be read: {error.strerror}"))

    for parent, folders, names in os.walk(folder, onerror=note):
        here = Path(parent)
        visible = sorted(name for name in folders if not name.startswith("."))
        passed_over += [(here / name, _LINK) for name in visible if (here / name).is_symlink()]
        folders[:] = [name for name in visible if here / name != without and not (here / name).is_symlink()]
        for name in sorted(names):
            if name.startswith("."):
                continue
            if reason := _reason_against(here / name):
                passed_over.append((here / name, reason))
            else:
                files.append(here / name)
    return Found(sorted(files), passed_over)


_LINK = "a symbolic link; these are not followed"


def _reason_against(file: Path) -> str:
    try:
        mode = file.lstat().st_mode
    except OSError as error:
        return f"the file cannot be read: {error.strerror}"
    if stat.S_ISLNK(mode):
        return _LINK
    return "" if stat.S_ISREG(mode) else "not a file but a device, pipe or socket"
