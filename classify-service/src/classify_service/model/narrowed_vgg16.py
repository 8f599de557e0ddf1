"""What every eye is: VGG16's convolutions, narrowed, which of their maps leave it, and how its weights are stored.

`eye` computes it by Keras, `processor_eye` by ncnn or OpenVINO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

GRID_SIDE = 9
"""Cells along one side of a map; each keeps its mean and its maximum."""

REGION_SIDE = 3
"""Regions along one side of what leaves the eye: a third of the picture's width each, 3 x 3 cells."""

STRIDE_PX = 16
"""The input's side is GRID_SIDE times a multiple of this."""

BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of each convolution, block by block; source: Simonyan and Zisserman, 2015, configuration D."""

POOLED = {"block3_conv3": 256, "block4_conv2": 512, "block4_conv3": 512, "block5_conv3": 512}
"""The layers whose maps leave the eye, and their channels."""

FIRST = "block1_conv1"
"""It sees three channels: there is nothing to narrow."""

NARROWED = "_narrow"
"""What the name of the 3 x 3 half of a narrowed convolution ends with."""

REGION_SIZE = 2 * sum(POOLED.values())
"""Numbers a region holds: for each channel the average of its cells' means, and of their maxima."""

NARROW = 4
"""By so much a narrowed convolution divides the channels of the one it stands for."""

LEVELS = 127
"""Kernels are stored as whole numbers from -LEVELS to LEVELS, times a scale for each output channel."""


def narrow_width(width: int) -> int:
    """Return how many channels a narrowed convolution of `width` channels has between its halves."""
    return width // NARROW


def layer_shapes() -> dict[str, tuple[int, int, int, int]]:
    """Return each convolution's name and its kernel's shape, first to last, a narrowed one's two halves as two."""
    shapes, before = {}, 3
    for block, widths in enumerate(BLOCKS, start=1):
        for number, width in enumerate(widths, start=1):
            name, rank = f"block{block}_conv{number}", narrow_width(width)
            if name == FIRST:
                shapes[name] = (3, 3, before, width)
            else:
                shapes[f"{name}{NARROWED}"] = (3, 3, before, rank)
                shapes[name] = (1, 1, rank, width)
            before = width
    return shapes


@dataclass(frozen=True)
class Convolution:
    """One of them, with its weights."""

    name: str
    begins_block: bool
    """Whether a pooling stands before it."""
    kernel: npt.NDArray[np.float32]
    """(side, side, channels before, channels)."""
    bias: npt.NDArray[np.float32] | None
    """(channels,); the 3 x 3 half of a narrowed one has none."""
    relu: bool
    """Whether what is negative becomes 0."""


def read_convolutions(stored: Mapping[str, npt.NDArray[np.generic]]) -> Iterator[Convolution]:
    """Read all, first to last.

    Args:
        stored: See `layer_weights`.

    Raises:
        ValueError: a layer is missing or has another shape.
    """
    last_block = "block1"
    for name, shape in layer_shapes().items():
        block, _, _ = name.partition("_")
        kernel, bias = layer_weights(stored, name)
        if kernel.shape != shape or (bias is not None and bias.shape != shape[3:]):
            raise ValueError(f"{name} has the shape {kernel.shape}, but {shape} is needed")
        yield Convolution(name, block != last_block, kernel, bias, relu=not name.endswith(NARROWED))
        last_block = block


def layer_weights(
    stored: Mapping[str, npt.NDArray[np.generic]], name: str
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]:
    """Return a convolution's kernel, (side, side, channels before, channels), and its bias, if such a one has one.

    A kernel of whole numbers is multiplied with `<layer>/scale`, one number for each output channel.

    Raises:
        ValueError: the weights lack a part.
    """
    has_bias = not name.endswith(NARROWED)
    parts = [f"{name}/kernel"]
    if parts[0] in stored and stored[parts[0]].dtype == np.int8:
        parts.append(f"{name}/scale")
    if has_bias:
        parts.append(f"{name}/bias")
    if missing := [part for part in parts if part not in stored]:
        raise ValueError(f"the weights lack {', '.join(missing)}")
    arrays = {part.rpartition("/")[2]: stored[part].astype(np.float32) for part in parts}
    return arrays["kernel"] * arrays.get("scale", np.float32(1)), arrays.get("bias")
