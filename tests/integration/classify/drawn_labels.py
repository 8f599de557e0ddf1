"""Folders of drawn pictures, a label each, for trainings at small size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

LABELS = ("blobs", "columns", "stripes", "words")


def write_pictures(data: Path, *, count: int, labels: Sequence[str] = LABELS) -> None:
    """Write `count` pictures of each label below `data`: `blobs/0.png`, ...; always the same ones."""
    rng = np.random.default_rng(0)
    for label in labels:
        (data / label).mkdir(parents=True)
        for number in range(count):
            cv2.imwrite(str(data / label / f"{number}.png"), _drawn(label, rng))


def _drawn(label: str, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    sheet = np.full((96, 128, 3), 255, dtype=np.uint8)
    for _ in range(7):
        x, y = rng.integers(10, 86, 2).tolist()
        colour = rng.integers(0, 200, 3).tolist()
        if label == "stripes":
            cv2.line(sheet, (0, y), (127, y), colour, 2)
        elif label == "columns":
            cv2.line(sheet, (x, 0), (x, 95), colour, 2)
        elif label == "blobs":
            cv2.circle(sheet, (x, y), int(rng.integers(4, 14)), colour, -1)
        else:
            cv2.putText(sheet, "word", (x - 8, y), cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, 1)
    return sheet
