"""The same eye as `eye`, computed by ncnn or OpenVINO: it needs neither TensorFlow nor its memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

import numpy as np
import numpy.typing as npt

from classify_service.model.backends import Computing
from classify_service.model.narrowed_vgg16 import GRID_SIDE, POOLED, REGION_SIDE, read_convolutions
from shared.convolution_network import Layers, core_count

Floats = npt.NDArray[np.float32]

Maps = Callable[[Floats], list[Floats]]
"""Gives the maps of POOLED's layers, each (channels, height, width), of a picture, (3, side, side)."""


class ProcessorEye:
    """VGG16's convolutions, narrowed; see `eye.build_eye`. Several threads may call it at a time."""

    def __init__(
        self, stored: Mapping[str, npt.NDArray[np.generic]], *, input_side_px: int, computing: Computing
    ) -> None:
        """Build the network.

        Args:
            stored: See `narrowed_vgg16.layer_weights`.
            input_side_px: Of the pictures.
            computing: By what, and in what.

        Raises:
            ValueError: a layer is missing or has another shape.
        """
        # Layers so small gain little from more threads: with one of two cores they take half as long again, but three
        # quarters of the processor's time, and what measures and decodes beside it wants the others.
        threads = max(1, core_count() // 2)
        self._maps: Maps
        if computing.backend == "openvino":
            from classify_service.model.openvino_eye import OpenvinoMaps  # noqa: PLC0415 - optional

            dtype = computing.dtype or "float32"
            self._maps = OpenvinoMaps(stored, input_side_px=input_side_px, dtype=dtype, threads=threads)
        else:
            self._maps = _by_ncnn(stored, threads)

    def cells(self, pixels: Floats) -> Floats:
        """Return the cells of one picture, (9, 9, 3584), not negative.

        Args:
            pixels: See `preprocessing.network_input`.

        Raises:
            MemoryError: there is not enough.
        """
        pooled = []
        for maps in self._maps(np.ascontiguousarray(pixels.transpose(2, 0, 1))):
            side = maps.shape[1] // GRID_SIDE
            pooled += [_pool(maps, side, np.add) / np.float32(side**2), _pool(maps, side, np.maximum)]
        return np.sqrt(np.concatenate(pooled)).transpose(1, 2, 0)


def regions_of(cells: Floats) -> Floats:
    """Return the mean of each region's cells, (3, 3, 3584)."""
    side = GRID_SIDE // REGION_SIDE
    return (_pool(cells.transpose(2, 0, 1), side, np.add) / np.float32(side**2)).transpose(1, 2, 0)


def _by_ncnn(stored: Mapping[str, npt.NDArray[np.generic]], threads: int) -> Maps:
    layers, last = Layers(), ""
    for each in read_convolutions(stored):
        if each.begins_block:
            layers.max_pooling(f"{last}_pool")
        layers.convolution(each.name, each.kernel, each.bias, relu=each.relu)
        last = each.name
    return layers.network(*POOLED, threads=threads).maps


def _pool(maps: Floats, side: int, join: Callable[[Floats, Floats], Floats]) -> Floats:
    """Join each square of `side` x `side` cells of maps, (channels, height, width), to one."""
    rows = reduce(join, (maps[:, at::side] for at in range(side)))
    return reduce(join, (rows[..., at::side] for at in range(side)))
