"""VGG16's convolutions in the order in which they see a picture, read from the encoder's file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
"""Convolutions of each block, and their channels; a pooling between blocks halves the sides.

Source: Simonyan and Zisserman, 2015, configuration D (arXiv:1409.1556).
"""


@dataclass(frozen=True)
class Convolution:
    """One of the thirteen; what comes out is negative nowhere."""

    name: str
    begins_block: bool
    """Whether a pooling stands before it."""
    kernel: Floats
    """(3, 3, channels before, channels)."""
    bias: Floats
    """(channels,)."""


def read_convolutions(weights_file: Path) -> Iterator[Convolution]:
    """Read them, first to last.

    Args:
        weights_file: npz with `<layer>/kernel` and `<layer>/bias` for each, by Keras' names.

    Raises:
        ValueError: the file lacks a layer, or one has another shape.
    """
    with np.load(weights_file, allow_pickle=False) as stored:
        depth = 3
        for block, (convolutions, channels) in enumerate(BLOCKS, start=1):
            for number in range(1, convolutions + 1):
                name = f"block{block}_conv{number}"
                kernel = _weights(stored, f"{name}/kernel", (3, 3, depth, channels), weights_file.name)
                bias = _weights(stored, f"{name}/bias", (channels,), weights_file.name)
                yield Convolution(name, block > 1 and number == 1, kernel, bias)
                depth = channels


def _weights(
    stored: Mapping[str, npt.NDArray[Any]], key: str, shape: tuple[int, ...], file_name: str
) -> npt.NDArray[np.float32]:
    if key not in stored:
        raise ValueError(f"{file_name} lacks {key}")
    weights = stored[key]
    if weights.shape != shape:
        raise ValueError(f"{key} in {file_name} has the shape {weights.shape}, not {shape}")
    return weights.astype(np.float32)
