"""An image's embedding in 256 bytes, and how far two of them are apart.

Each number becomes a signed byte, the largest of a vector plus or minus 127. Only directions are compared, so what each
vector was multiplied with need not be kept: the angle between two is the same but for rounding.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from shared.contracts import EMBEDDING_SIZE

Vector = npt.NDArray[np.int8]
"""One embedding, int8, (256,)."""
Vectors = npt.NDArray[np.int8]
"""Some embeddings, int8, (rows, 256)."""

Near = dict[int, float]
"""Numbers of embeddings and how far each is from one, nearest first."""

LARGEST = 127
DISTANCE_DECIMALS = 4
"""What rounding to bytes leaves of a distance."""
ROUNDED = 0.001
"""More than a distance that usearch computes may differ from ours."""


def to_bytes(embedding: Sequence[float]) -> bytes | None:
    """Return an embedding as it is kept; None where it points nowhere, being all zero."""
    numbers = np.asarray(embedding, np.float64)
    largest = float(np.abs(numbers).max())
    if largest == 0:
        return None
    return np.rint(numbers * (LARGEST / largest)).astype(np.int8).tobytes()


def from_bytes(*kept: bytes) -> Vectors:
    """Return embeddings from what `to_bytes` gave, (rows, 256)."""
    return np.frombuffer(b"".join(kept), np.int8).reshape(-1, EMBEDDING_SIZE)


def distances(vector: Vector, others: Vectors) -> list[float]:
    """Return 1 minus the cosine for each of the others: 0 in the same direction, 1 at a right angle, 2 opposite."""
    one, many = vector.astype(np.float32), others.astype(np.float32)
    cosines = many @ one / (np.linalg.norm(many, axis=1) * np.linalg.norm(one))
    return [round(min(max(1.0 - float(cosine), 0.0), 2.0), DISTANCE_DECIMALS) for cosine in cosines]
