"""Take a sorting back: what was moved returns, what was copied or linked goes, and what a person changed stays."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from classify_service.sorting.lock import only_one
from classify_service.sorting.placing import has_content, move_file
from classify_service.sorting.recovery import settle
from classify_service.sorting.report import UNDONE, Report, Row, SortError, Way
from shared.artifacts import file_sha256


class _Kept(Exception):
    """A file is left where it was sorted to, for a reason."""


@dataclass
class Undone:
    """What an undo has done."""

    taken_back: Counter[str] = field(default_factory=Counter)
    """Files by what had been done: `moved`, `copied`, `linked`."""
    kept: list[tuple[str, str]] = field(default_factory=list)
    """Files that are still where they were sorted to, and why."""


def undo(file: Path) -> Undone:
    """Take back what a report says was done, the last first, and write that into the report.

    Raises:
        SortError: it is no report, or its folder is being sorted into.
    """
    if not file.is_file():
        raise SortError(f"there is no report {file}")
    undone = Undone()
    with only_one(file.resolve().parent):
        report = Report.resume(file.resolve())
        try:
            settle(report)
            rows = [row for row in reversed(report.latest()) if row.is_done]
            for row in tqdm(rows, desc="taking back", unit="file"):
                try:
                    _take_back(row)
                except _Kept as reason:
                    undone.kept.append((row.destination, str(reason)))
                except OSError as error:
                    undone.kept.append((row.destination, error.strerror or str(error)))
                else:
                    report.write(dataclasses.replace(row, action=UNDONE))
                    undone.taken_back[row.action] += 1
        finally:
            report.close()
        report.finish()
    for folder in {Path(row.destination).parent for row in rows}:
        with contextlib.suppress(OSError):  # it has other files in it
            folder.rmdir()
    return undone


def _take_back(row: Row) -> None:
    source, destination = Path(row.source), Path(row.destination)
    if row.action == Way.MOVE.done:
        _move_back(source, destination)
    elif not os.path.lexists(destination):
        return
    elif not has_content(destination, row.sha256):
        raise _Kept("it was changed since")
    elif not source.is_file():
        raise _Kept(f"{source} is gone, so this is the only one left")
    else:
        destination.unlink()


def _move_back(source: Path, destination: Path) -> None:
    if not destination.is_file() or destination.is_symlink():
        raise _Kept(f"it is no longer there, so it cannot go back to {source}")
    sha256 = file_sha256(destination)
    if has_content(source, sha256) and source.resolve() != destination.resolve():
        destination.unlink()  # a stopped undo had brought it back
        return
    source.parent.mkdir(parents=True, exist_ok=True)
    try:
        move_file(destination, source, sha256=sha256)
    except FileExistsError as error:
        raise _Kept(f"there is another file {source} now") from error
