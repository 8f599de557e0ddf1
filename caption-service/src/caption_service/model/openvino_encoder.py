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
from caption_service.model.convolutions import PIXEL_CHANNELS, Floats, read_convolutions
from caption_service.model.preprocessing import INPUT_SIDE_PX, preprocess
from caption_service.model.sight import FEATURE_SIZE, MAP_SIDE
from shared.openvino_network import OpenvinoNetwork

PARTS = 3


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
            pictures = _pixels_in_parts(pictures)
        return self._network(pictures)[0]


def _network(weights_file: Path, dtype: str) -> Any:
    channels = PARTS * PIXEL_CHANNELS if dtype == "bfloat16" else PIXEL_CHANNELS
    pixels = ops.parameter([-1, INPUT_SIDE_PX, INPUT_SIDE_PX, channels], np.float32)
    x = ops.transpose(pixels, np.array([0, 3, 1, 2]))  # (batch, channels, 224, 224)
    for each in read_convolutions(weights_file):
        if each.begins_block:
            x = ops.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)
        is_in_parts = dtype == "bfloat16" and each.sees_pixels
        kernel = _kernel_in_parts(each.kernel) if is_in_parts else each.kernel
        filters = ops.constant(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)))
        sums = ops.convolution(x, filters, [1, 1], [1, 1], [1, 1], [1, 1])
        x = ops.relu(ops.add(sums, ops.constant(each.bias.reshape(1, -1, 1, 1))))
    maps = ops.transpose(x, np.array([0, 2, 3, 1]))  # (batch, 14, 14, 512)
    cells = ops.reshape(maps, np.array([0, MAP_SIDE**2, FEATURE_SIZE]), special_zero=True)
    return openvino.Model([cells], [pixels], "vgg16")


def _pixels_in_parts(pixels: Floats) -> Floats:
    """Return what the first convolution takes in bfloat16: what that can hold of the pixels, the rest, and once more.

    With `_kernel_in_parts` it computes nearly what it does in float32: without their means pixels are no whole numbers,
    and half of what bfloat16 loses was lost here. Of 1,000 photos 979 were captioned as in float32, and 992 are.
    """
    held = _held_by_bfloat16(pixels)
    return np.concatenate([held, pixels - held, held], axis=3)


def _kernel_in_parts(kernel: Floats) -> Floats:
    """Return the kernel for that, (3, 3, 3 * channels before, channels)."""
    held = _held_by_bfloat16(kernel)
    return np.concatenate([held, held, kernel - held], axis=2)


def _held_by_bfloat16(numbers: Floats) -> Floats:
    """Cut off what bfloat16 has no room for: the lower half of a float32."""
    held: Floats = (numbers.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    return held
