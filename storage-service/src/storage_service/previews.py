"""Say whether two previews show the same picture, but for compression, size and light."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

SIDE_CELLS = 32
LEAST_CORRELATION = 0.97
"""Under it lie other pictures made from one template; measured by tests/bench/near_duplicates.py."""

Cells = npt.NDArray[np.float32]
"""Brightness of a preview, 0 to 255, (SIDE_CELLS, SIDE_CELLS)."""


class UnreadablePreview(ValueError):
    """The bytes are no JPEG."""


def show_the_same(cells: Cells, others: Cells) -> bool:
    """Compare two previews by their cells."""
    return correlation(cells, others) >= LEAST_CORRELATION


def correlation(cells: Cells, others: Cells) -> float:
    """Return the correlation of brightness, -1 to 1; of two even pictures it is 1."""
    one, other = cells - cells.mean(), others - others.mean()
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float((one * other).sum()) / length if length else 1.0


def cells_of(preview: bytes) -> Cells:
    """Return brightness, 0 to 255, in SIDE_CELLS rows and columns; raise UnreadablePreview."""
    try:
        with Image.open(io.BytesIO(preview), formats=["JPEG"]) as picture:
            picture.draft("L", (2 * SIDE_CELLS, 2 * SIDE_CELLS))
            small = picture.convert("L").resize((SIDE_CELLS, SIDE_CELLS), Image.Resampling.BOX)
    except (UnidentifiedImageError, OSError) as error:
        raise UnreadablePreview("a preview cannot be read") from error
    return np.asarray(small, np.float32)
