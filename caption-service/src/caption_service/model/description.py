"""All that a model can tell about one picture: its sentences, its embedding, and where it looked for each word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from caption_service.model.sight import MAP_SIDE
from caption_service.model.speaker import Caption


@dataclass(frozen=True)
class Look:
    """Where the decoder looked before it said a word."""

    word: str
    weights: npt.NDArray[np.float32]
    """Each cell's share of the attention, float32, (14, 14), adding up to 1."""


@dataclass(frozen=True)
class Description:
    """What was asked about one picture; None for what was not."""

    captions: list[Caption]
    embedding: npt.NDArray[np.float32] | None
    """256 numbers of length 1."""
    looks: list[Look] | None
    """For each word of the best caption."""


def whole_map(shares: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Spread attention over the cells of VGG16's last map; what was pooled from four cells is shared among them alike.

    Args:
        shares: Each cell's share in reading order, (49,) or (196,), adding up to 1.

    Returns:
        float32, (14, 14), adding up to 1.
    """
    side = round(len(shares) ** 0.5)
    repeats = MAP_SIDE // side
    return np.kron(shares.reshape(side, side), np.full((repeats, repeats), repeats**-2, np.float32))
