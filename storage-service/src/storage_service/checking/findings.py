"""What can be wrong between rows and files, and how it is told: a line each, and a JSON file for programs."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TextIO
from uuid import UUID

Kind = Literal[
    "missing_file",
    "wrong_hash",
    "wrong_folder",
    "spare_copy",
    "orphan_file",
    "half_written",
    "missing_preview",
    "orphan_preview",
]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    kind: Kind
    path: str
    image_id: UUID | None
    about: str
    """What is wrong, and what is or was to be done, for people."""
    is_repaired: bool = False

    def __str__(self) -> str:
        return f"{'repaired' if self.is_repaired else 'found'} {self.kind}: {self.path}: {self.about}"


class Findings:
    """Counts what is found, tells it at once, and keeps none of it: there may be a million."""

    def __init__(self, tell: Callable[[Finding], None]) -> None:
        self._tell = tell
        self.found: Counter[Kind] = Counter()
        self.repaired: Counter[Kind] = Counter()
        self.rows = 0
        self.files = 0
        self.too_new = 0
        """Files without a row that an upload under way may have written."""

    @property
    def left(self) -> int:
        """How many are still as they were found."""
        return self.found.total() - self.repaired.total()

    def add(self, finding: Finding) -> None:
        """Take a finding."""
        self.found[finding.kind] += 1
        if finding.is_repaired:
            self.repaired[finding.kind] += 1
        self._tell(finding)

    def summary(self) -> dict[str, object]:
        """Return the counts."""
        return {
            "rows": self.rows,
            "files": self.files,
            "too_new": self.too_new,
            "found": dict(self.found),
            "repaired": dict(self.repaired),
            "left": self.left,
        }


class JsonReport:
    """A JSON document that is written as findings come, and takes its name only when it is whole."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._unfinished = place.with_name(f"{place.name}.part")
        self._file: TextIO = self._unfinished.open("w", encoding="utf-8")
        self._separator = "\n"
        self._file.write('{"findings": [')

    def add(self, finding: Finding) -> None:
        """Write a finding."""
        self._file.write(f"{self._separator}{json.dumps(asdict(finding), default=str)}")
        self._separator = ",\n"

    def finish(self, summary: dict[str, object]) -> None:
        """Write the counts, and let the file be seen."""
        self._file.write(f'\n], "summary": {json.dumps(summary)}}}\n')
        self._file.close()
        os.replace(self._unfinished, self._place)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()
        self._unfinished.unlink(missing_ok=True)
