"""The eye: VGG16's first convolutions, frozen, the maps of three blocks pooled to one grid of regions.

Their weights come from ImageNet and never change here, so training passes each picture through them once. They are
a third of VGG16 (blocks 1 to 3 and two convolutions of block 4): what pages, screens and charts differ in are
textures and layouts, and the later blocks cost more than they give.
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
import numpy.typing as npt

GRID_SIDE = 9
"""Cells along one side of a map; each keeps its mean and its maximum."""

REGION_SIDE = 3
"""Regions along one side of what leaves the eye: a third of the picture's width each, 3 x 3 cells."""

STRIDE_PX = 16
"""The input's side is GRID_SIDE times a multiple of this."""

BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512))
"""Channels of each convolution, block by block; source: Simonyan and Zisserman, 2015, configuration D."""

POOLED = {"block2_conv2": 128, "block3_conv3": 256, "block4_conv2": 512}
"""The layers whose maps leave the eye, and their channels."""

REGION_SIZE = 2 * sum(POOLED.values())
"""Numbers a region holds: for each channel the average of its cells' means, and of their maxima."""


def build_eye(*, input_side_px: int) -> keras.Model:
    """Return the network from pictures to regions.

    Its input is what `preprocessing.network_input` makes, (batch, input_side_px, input_side_px, 3); its output is
    float32, (batch, 3, 3, 1792), not negative. Cells enter their region by their square root, which tames the few
    very large values of a map as the Hellinger kernel does for histograms.

    Raises:
        ValueError: the side is not a multiple of 144.
    """
    if input_side_px % (GRID_SIDE * STRIDE_PX):
        raise ValueError(f"the eye's input side must be a multiple of {GRID_SIDE * STRIDE_PX}, not {input_side_px}")
    bgr = x = keras.Input((input_side_px, input_side_px, 3), name="bgr")
    cells = []
    for block, widths in enumerate(BLOCKS, start=1):
        if block > 1:
            x = keras.layers.MaxPooling2D(2, name=f"block{block - 1}_pool")(x)
        for number, width in enumerate(widths, start=1):
            name = f"block{block}_conv{number}"
            x = keras.layers.Conv2D(width, 3, padding="same", activation="relu", name=name)(x)
            if name in POOLED:
                cell_px = x.shape[1] // GRID_SIDE
                cells.append(keras.layers.AveragePooling2D(cell_px, name=f"{name}_mean")(x))
                cells.append(keras.layers.MaxPooling2D(cell_px, name=f"{name}_max")(x))
    tamed = keras.ops.sqrt(keras.layers.Concatenate(name="cells")(cells))  # (batch, 9, 9, 1792)
    regions = keras.layers.AveragePooling2D(GRID_SIDE // REGION_SIDE, name="regions")(tamed)  # (batch, 3, 3, 1792)
    eye = keras.Model(bgr, regions, name="eye")
    eye.trainable = False
    return eye


def load_convolutions(eye: keras.Model, stored: Mapping[str, npt.NDArray[np.floating]]) -> None:
    """Fill the eye's convolutions from `<layer>/kernel` and `<layer>/bias`; further keys are passed over.

    Raises:
        ValueError: a layer is missing or has another shape.
    """
    for layer in convolutions(eye):
        keys = (f"{layer.name}/kernel", f"{layer.name}/bias")
        if missing := [key for key in keys if key not in stored]:
            raise ValueError(f"the weights lack {', '.join(missing)}")
        layer.set_weights([stored[key].astype(np.float32) for key in keys])


def convolutions(eye: keras.Model) -> list[keras.layers.Conv2D]:
    """Return the eye's convolutions, first to last."""
    return [layer for layer in eye.layers if isinstance(layer, keras.layers.Conv2D)]
