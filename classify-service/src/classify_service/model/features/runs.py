"""Runs of ink along the rows of a picture: lines are long ones, words are short ones with narrow gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Runs:
    """Runs of neighbouring inked pixels, row by row; all arrays are (runs,), int64."""

    rows: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    """Column of each run's first pixel."""
    lengths: npt.NDArray[np.int64]
    """In pixels."""

    def joined(self, gap_px: int) -> Runs:
        """Return the runs with those of one row made one where at most `gap_px` pixels lie between them."""
        if not len(self.rows):
            return self
        ends = self.starts + self.lengths
        begins = np.ones(len(self.rows), dtype=np.bool_)
        begins[1:] = (self.rows[1:] != self.rows[:-1]) | (self.starts[1:] - ends[:-1] > gap_px)
        first = np.flatnonzero(begins)
        last = np.append(first[1:], len(begins)) - 1
        return Runs(self.rows[first], self.starts[first], ends[last] - self.starts[first])


def find_runs(ink: npt.NDArray[np.uint8]) -> Runs:
    """Return the runs of a picture of ink, (height, width), 1 where there is ink, else 0."""
    height, width = ink.shape
    framed = np.zeros((height, width + 2), dtype=np.uint8)  # no run goes on from one row to the next
    framed[:, 1:-1] = ink
    pixels = framed.ravel()
    changes = np.flatnonzero(pixels[1:] != pixels[:-1])
    starts, ends = changes[::2], changes[1::2]
    rows = starts // (width + 2)
    return Runs(rows, starts - rows * (width + 2), ends - starts)
