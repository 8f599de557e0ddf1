"""The same eye as `eye`, computed by ncnn: it needs neither TensorFlow nor its memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

import numpy as np
import numpy.typing as npt

from classify_service.model.narrowed_vgg16 import (
    GRID_SIDE,
    NARROWED,
    POOLED,
    REGION_SIDE,
    layer_shapes,
    layer_weights,
)
from shared.convolution_network import Layers

Floats = npt.NDArray[np.float32]


class NcnnEye:
    """VGG16's convolutions, narrowed; see `eye.build_eye`. Several threads may call it at a time."""

    def __init__(self, stored: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Build the network.

        Args:
            stored: See `narrowed_vgg16.layer_weights`.

        Raises:
            ValueError: a layer is missing or has another shape.
        """
        layers, last_block = Layers(), "block1"
        for name, shape in layer_shapes().items():
            block, _, _ = name.partition("_")
            if block != last_block:
                layers.max_pooling(f"{last_block}_pool")
                last_block = block
            kernel, bias = layer_weights(stored, name)
            if kernel.shape != shape or (bias is not None and bias.shape != shape[3:]):
                raise ValueError(f"{name} has the shape {kernel.shape}, but {shape} is needed")
            layers.convolution(name, kernel, bias, relu=not name.endswith(NARROWED))
        self._network = layers.network(*POOLED)

    def cells(self, pixels: Floats) -> Floats:
        """Return the cells of one picture, (9, 9, 3584), not negative.

        Args:
            pixels: See `preprocessing.network_input`.

        Raises:
            MemoryError: there is not enough.
        """
        pooled = []
        for maps in self._network.maps(pixels.transpose(2, 0, 1)):
            side = maps.shape[1] // GRID_SIDE
            pooled += [_pool(maps, side, np.add) / np.float32(side**2), _pool(maps, side, np.maximum)]
        return np.sqrt(np.concatenate(pooled)).transpose(1, 2, 0)


def regions_of(cells: Floats) -> Floats:
    """Return the mean of each region's cells, (3, 3, 3584)."""
    side = GRID_SIDE // REGION_SIDE
    return (_pool(cells.transpose(2, 0, 1), side, np.add) / np.float32(side**2)).transpose(1, 2, 0)


def _pool(maps: Floats, side: int, join: Callable[[Floats, Floats], Floats]) -> Floats:
    """Join each square of `side` x `side` cells of maps, (channels, height, width), to one."""
    rows = reduce(join, (maps[:, at::side] for at in range(side)))
    return reduce(join, (rows[..., at::side] for at in range(side)))
