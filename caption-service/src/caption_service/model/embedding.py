"""A picture as 256 numbers: near for pictures that look alike, whatever is said of them.

The projection belongs to the encoder, not to a decoder: every caption model gives the same numbers, and they can be
compared across models.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from caption_service.model.sight import VECTOR_SIZE, pool_regions
from shared.artifacts import Manifest

EMBEDDING_FILE = "embedding.npz"
EMBEDDING_SIZE = 256


@dataclass(frozen=True)
class Projection:
    """A principal component analysis of image vectors."""

    mean: npt.NDArray[np.float32]
    """(4096,)."""
    components: npt.NDArray[np.float32]
    """(4096, 256)."""

    @classmethod
    def read(cls, file: Path) -> Projection:
        """Read what `write` wrote.

        Raises:
            ValueError: the file holds something else.
        """
        with np.load(file, allow_pickle=False) as stored:
            if missing := {"mean", "components"} - set(stored):
                raise ValueError(f"{file} lacks {', '.join(sorted(missing))}")
            found = cls(stored["mean"].astype(np.float32), stored["components"].astype(np.float32))
        if found.components.shape != (VECTOR_SIZE, EMBEDDING_SIZE) or found.mean.shape != (VECTOR_SIZE,):
            raise ValueError(f"{file} holds no projection of {VECTOR_SIZE} to {EMBEDDING_SIZE} numbers")
        return found

    def write(self, file: Path) -> None:
        """Write the projection in half precision, about 2 MB."""
        np.savez(file, mean=self.mean.astype(np.float16), components=self.components.astype(np.float16))

    def embed(self, maps: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
        """Return each picture's embedding, float32, (batch, 256), of length 1.

        Args:
            maps: VGG16's last map, (batch, 196, 512).
        """
        numbers = (comparable(pool_regions(maps)) - self.mean) @ self.components  # (batch, 256)
        length = np.linalg.norm(numbers, axis=1, keepdims=True)
        embedded: npt.NDArray[np.float32] = (numbers / np.maximum(length, 1e-12)).astype(np.float32)
        return embedded


def encoder_identity(manifest: Manifest, files: Sequence[str]) -> str:
    """Return a name that changes when the weights or the projection do, also where the version was forgotten."""
    weights = "".join(manifest.files.get(name, "") for name in files)
    return f"{manifest.name}@{manifest.version}+{hashlib.sha256(weights.encode()).hexdigest()[:12]}"


def comparable(vectors: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
    """Make distances between region vectors mean something, (batch, 4096).

    The square root keeps a few strong channels from deciding alone; then each vector gets length 1.

    Source: Jégou and Chum, 2012, "Negative evidences and co-occurrences in image retrieval", on PCA after such steps.
    """
    rooted = np.sqrt(np.asarray(vectors, np.float32))
    scaled: npt.NDArray[np.float32] = rooted / np.maximum(np.linalg.norm(rooted, axis=1, keepdims=True), 1e-12)
    return scaled
