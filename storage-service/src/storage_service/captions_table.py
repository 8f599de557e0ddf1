"""The table of an export, `captions.csv`: what is known of each image, for programs and for spreadsheets.

UTF-8, comma, quotes where needed. A cell that a spreadsheet would run as a formula begins with an apostrophe instead;
`read_rows` takes it away again.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from shared.contracts import ImageRecord, Word

NAME = "captions.csv"
COLUMNS = (
    "id",
    "file",
    "filename",
    "label",
    "label_source",
    "label_model",
    "label_confidence",
    "caption",
    "caption_source",
    "caption_model",
    "caption_confidence",
    "status",
    "media_type",
    "width",
    "height",
    "size_bytes",
    "sha256",
    "created_at",
    "note",
)
_BEGINS_A_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001  # the wide signs are the point


class CaptionsTable:
    """A table that is written row by row into a file on disk, so that it takes no memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._text = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="", write_through=True)
        self._rows = csv.DictWriter(self._text, COLUMNS)
        self._rows.writeheader()

    def add(self, record: ImageRecord, *, file: str, note: str = "") -> None:
        """Write an image's row; `file` is empty for one that was left out, and `note` says why."""
        cells = {
            "id": record.id,
            "file": file,
            "filename": record.filename,
            **_cells("label", record.label),
            **_cells("caption", record.caption),
            "status": record.status,
            "media_type": record.media_type,
            "width": record.width,
            "height": record.height,
            "size_bytes": record.size_bytes,
            "sha256": record.sha256,
            "created_at": record.created_at.isoformat(),
            "note": note,
        }
        self._rows.writerow({column: _as_text(str(cell)) for column, cell in cells.items()})

    def finish(self) -> int:
        """Return the table's length in bytes; its file is then at its beginning, for reading."""
        self._text.detach()
        size_bytes = self._file.seek(0, os.SEEK_END)
        self._file.seek(0)
        return size_bytes


def read_rows(file: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of an export's table.

    Raises:
        ValueError: it is not one.
    """
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.DictReader(stream)
        if missing := {"sha256", "filename", "caption", "caption_source"} - set(rows.fieldnames or ()):
            raise ValueError(f"it has no column {sorted(missing)[0]}")
        try:
            for row in rows:
                yield {name: _as_said(cell) for name, cell in row.items() if isinstance(cell, str)}
        except csv.Error as error:
            raise ValueError(str(error)) from error


def _cells(kind: str, word: Word | None) -> dict[str, str | float]:
    if word is None:
        return {kind: "", f"{kind}_source": "", f"{kind}_model": "", f"{kind}_confidence": ""}
    return {
        kind: word.value,
        f"{kind}_source": word.source,
        f"{kind}_model": word.model or "",
        f"{kind}_confidence": "" if word.confidence is None else round(word.confidence, 6),
    }


def _as_text(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_BEGINS_A_FORMULA) else cell


def _as_said(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_BEGINS_A_FORMULA) else cell
