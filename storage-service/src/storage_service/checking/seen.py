"""Remember of each row which of its files were seen, in one byte a row: a million rows take a megabyte."""

from __future__ import annotations

ORIGINAL = 1
PREVIEW = 2
ELSEWHERE = 4
"""The original lies in another place, which was told already."""


class Seen:
    """Marks by a row's number."""

    def __init__(self) -> None:
        self._marks = bytearray()

    def mark(self, seq: int, what: int) -> None:
        """Note that something was seen."""
        if seq >= len(self._marks):
            self._marks.extend(bytes(seq + 1 - len(self._marks)))
        self._marks[seq] |= what

    def has(self, seq: int, what: int) -> bool:
        """Say whether one of these was seen."""
        return seq < len(self._marks) and bool(self._marks[seq] & what)
