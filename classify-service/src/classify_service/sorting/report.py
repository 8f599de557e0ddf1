"""The report of a sorting: a CSV that is its log while it runs and its table afterwards.

Before a file is touched its row is written and synced, and again when it is done. So whatever moment a run is killed
at, the report says which single file may be half done. While a run is under way its report ends in `.unfinished.csv`;
a finished one has one row a file. The same file is what an undo reads.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from classify_service.sorting.placing import sync_folder

UNFINISHED = ".unfinished.csv"
ALREADY_THERE = "already there"
LEFT = "left"
UNDONE = "undone"

_PART_NAME = ".classify-sort-report.part"
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Names of files need not be UTF-8; the same bytes come back on reading.
_CODING = {"encoding": "utf-8", "errors": "surrogateescape", "newline": ""}


class SortError(ValueError):
    """The sorting cannot be done as it was asked for; the message is one sentence that says why."""


class Way(StrEnum):
    """How a file gets into its label's folder; as the action of a row, it begins a report."""

    COPY = "copy"
    MOVE = "move"
    LINK = "link"

    @property
    def under_way(self) -> str:
        """The action of a row that was written before the file was touched."""
        return {"copy": "copying", "move": "moving", "link": "linking"}[self.value]

    @property
    def done(self) -> str:
        """The action of a row that was written when the file was in its place."""
        return {"copy": "copied", "move": "moved", "link": "linked"}[self.value]


@dataclass(frozen=True)
class Row:
    """What became of one file."""

    source: str
    """Absolute path."""
    destination: str
    """Absolute path; empty where the file was left."""
    label: str
    confidence: str
    """Of the best label, 0 to 1, also where it was not enough and `label` is `unclassified`."""
    action: str
    error: str = ""
    """Why the file was left; else empty."""
    sha256: str = ""
    """Of the file's content."""

    @property
    def is_under_way(self) -> bool:
        """Whether this row says that a file is about to be touched."""
        return self.action in {way.under_way for way in Way}

    @property
    def is_done(self) -> bool:
        """Whether this row says that a file was put in its place."""
        return self.action in {way.done for way in Way}


COLUMNS = tuple(field.name for field in fields(Row))


class Report:
    """A report that is being written; every row is on the disk when `write` returns."""

    def __init__(self, file: Path, rows: Iterable[Row]) -> None:
        self.file = file
        self._rows = list(rows)
        _write_whole(file, self._rows)
        self._stream: TextIO = file.open("a", **_CODING)  # type: ignore[call-overload]

    @classmethod
    def begin(cls, folder: Path, *, source: Path, way: Way) -> Report:
        """Begin a report in `folder`, named after the time."""
        name = f"classify-sort-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        number, stem = 1, name
        while (folder / f"{stem}{UNFINISHED}").exists() or (folder / f"{stem}.csv").exists():
            number += 1
            stem = f"{name}-{number}"
        return cls(folder / f"{stem}{UNFINISHED}", [Row(str(source), str(folder), "", "", way.value)])

    @classmethod
    def resume(cls, file: Path) -> Report:
        """Go on with a report; a row that a power cut tore is dropped.

        Raises:
            SortError: see `read_rows`.
        """
        return cls(file, read_rows(file))

    @property
    def purpose(self) -> Row | None:
        """The row that the report began with: what is sorted to where, and how."""
        return next((row for row in self._rows if row.action in set(Way)), None)

    def write(self, row: Row) -> None:
        """Append a row."""
        self._rows.append(row)
        csv.writer(self._stream).writerow(astuple(row))
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def latest(self) -> list[Row]:
        """Return the last row of each file, in the order of the files."""
        return latest(self._rows)

    def close(self) -> None:
        """Leave the report as it is."""
        self._stream.close()

    def finish(self) -> Path:
        """Leave one row a file, and return where the finished report is."""
        self.close()
        rows = self.latest()
        _write_whole(self.file, rows)
        name = self.file.name
        finished = self.file.with_name(f"{name.removesuffix(UNFINISHED)}.csv" if name.endswith(UNFINISHED) else name)
        self.file.replace(finished)
        sync_folder(finished.parent)
        return finished


def latest(rows: Iterable[Row]) -> list[Row]:
    """Return the last row for each file and place; what was under way or left gives way to what came after it."""
    last: dict[tuple[str, str], Row] = {}
    passing: dict[str, tuple[str, str]] = {}
    for row in rows:
        if row.action in set(Way):
            continue
        key = (row.source, row.destination)
        if (earlier := passing.pop(row.source, key)) != key:
            last.pop(earlier, None)
        if row.is_under_way or row.action == LEFT:
            passing[row.source] = key
        last[key] = row
    return list(last.values())


def read_rows(file: Path) -> list[Row]:
    """Return the rows of a report.

    Raises:
        SortError: there is no such file, or it is no report.
    """
    try:
        # Spreadsheets put a mark before the first column.
        with file.open(**_CODING | {"encoding": "utf-8-sig"}) as stream:  # type: ignore[call-overload]
            lines = list(csv.reader(stream))
    except OSError as error:
        raise SortError(f"the report {file} cannot be read: {error.strerror}") from error
    except csv.Error as error:
        raise SortError(f"{file} is no report of classify-sort: {error}") from error
    if lines and tuple(lines[0]) != COLUMNS:
        raise SortError(f"{file} is no report of classify-sort: its first line is not {','.join(COLUMNS)}")
    return [row for line in lines[1:] if len(line) == len(COLUMNS) and _is_whole(row := Row(*line))]


def _is_whole(row: Row) -> bool:
    return bool(_SHA256.fullmatch(row.sha256)) or not (row.sha256 or row.is_under_way or row.is_done)


def _write_whole(file: Path, rows: Iterable[Row]) -> None:
    part = file.with_name(_PART_NAME)
    with part.open("w", **_CODING) as stream:  # type: ignore[call-overload]
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows(astuple(row) for row in rows)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(file)
    sync_folder(file.parent)
