"""What people said of the images of an export, read from its table, so that it comes in with them again.

What models said is not taken over: the present ones are asked, as for any other image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from shared.contracts import Correction
from storage_service.captions_table import NAME, read_rows


@dataclass(frozen=True)
class SaidBefore:
    """What an export's table says of one image."""

    filename: str
    """Its name as it was uploaded."""
    words: Correction
    """What a person said; either may be missing."""


class UnusableTable(Exception):
    """There is a table, but it is no export's."""


def read_said_before(folder: Path) -> dict[str, SaidBefore]:
    """Return what the table of an export in this folder says, by SHA-256; nothing where there is none.

    Raises:
        UnusableTable: a file of its name is something else.
    """
    table = folder / NAME
    if not table.is_file():
        return {}
    try:
        return {row["sha256"]: _said(row) for row in read_rows(table)}
    except (OSError, ValueError, KeyError) as error:
        raise UnusableTable(f"{table} is passed over, it is not an export's: {error}") from error


def _said(row: Mapping[str, str]) -> SaidBefore:
    by_person = {kind: row.get(kind, "") for kind in ("label", "caption") if row.get(f"{kind}_source") == "person"}
    try:
        words = Correction(**by_person)
    except ValidationError as error:
        raise ValueError(f"what is said of {row['filename']!r} is not a label or a caption") from error
    return SaidBefore(row["filename"], words)
