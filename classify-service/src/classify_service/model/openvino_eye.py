"""The eye's maps by OpenVINO, in bfloat16 where the processor multiplies it: half of ncnn's time there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino
from openvino import opset13 as ops

from classify_service.model.narrowed_vgg16 import POOLED, read_convolutions
from shared.openvino_network import Floats, OpenvinoNetwork


class OpenvinoMaps:
    """Gives the maps of POOLED's layers; several threads may call it, one after the other is served."""

    def __init__(
        self, stored: Mapping[str, npt.NDArray[np.generic]], *, input_side_px: int, dtype: str, threads: int
    ) -> None:
        """Build and compile the network; see `processor_eye.ProcessorEye`, and `OpenvinoNetwork` for the dtype."""
        self._network = OpenvinoNetwork(lambda: _network(stored, input_side_px), dtype=dtype, threads=threads)

    def __call__(self, picture: Floats) -> list[Floats]:
        """Return the maps, each (channels, height, width), of a picture, (3, side, side).

        Raises:
            MemoryError: there is not enough.
        """
        return [maps[0] for maps in self._network(picture[None])]


def _network(stored: Mapping[str, npt.NDArray[np.generic]], input_side_px: int) -> Any:
    pixels = x = ops.parameter([1, 3, input_side_px, input_side_px], np.float32)
    maps = {}
    for each in read_convolutions(stored):
        if each.begins_block:
            x = ops.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)
        margin = [each.kernel.shape[0] // 2] * 2
        filters = ops.constant(np.ascontiguousarray(each.kernel.transpose(3, 2, 0, 1)))
        x = ops.convolution(x, filters, [1, 1], margin, margin, [1, 1])
        if each.bias is not None:
            x = ops.add(x, ops.constant(each.bias.reshape(1, -1, 1, 1)))
        maps[each.name] = x = ops.relu(x) if each.relu else x
    return openvino.Model([maps[name] for name in POOLED], [pixels], "narrowed_vgg16")
