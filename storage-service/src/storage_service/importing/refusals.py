"""The report of what was not imported and why: a CSV file that exists only when there is something to tell."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TextIO


class Refusals:
    """Refused files, written down as they come."""

    def __init__(self, report: Path | None) -> None:
        self._report = report
        self._stream: TextIO | None = None
        self.count = 0
        self.example = ""

    def note(self, file: Path, reason: str) -> None:
        """Write down one file.

        Raises:
            OSError: the report cannot be written.
        """
        shown = str(file).encode("utf-8", "backslashreplace").decode("utf-8")
        self.count += 1
        self.example = self.example or f"{shown} for one: {reason}"
        if self._report is None:
            return
        if self._stream is None:
            self._stream = self._report.open("x", encoding="utf-8", newline="")
            csv.writer(self._stream).writerow(["file", "reason"])
        csv.writer(self._stream).writerow([shown, reason])
        self._stream.flush()

    def close(self) -> None:
        """Let the file go."""
        if self._stream is not None:
            self._stream.close()
