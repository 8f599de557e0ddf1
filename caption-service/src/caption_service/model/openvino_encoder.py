"""The same eye as `model.encoder`, computed by OpenVINO, which takes less time for it on a processor than TensorFlow.

The network is put together from OpenVINO's own operations and the stored weights; TensorFlow has no part in it.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino
from openvino import opset13 as ops

from caption_service.model.backends import Backend
from caption_service.model.convolutions import read_convolutions
from caption_service.model.preprocessing import INPUT_SIDE_PX, preprocess
from caption_service.model.sight import FEATURE_SIZE, MAP_SIDE

HINTS = {"float32": "f32", "bfloat16": "bf16"}


class OpenvinoEncoder:
    """VGG16 up to its last convolution, block5_conv3; several threads may call it, one after the other is served."""

    backend: Backend = "openvino"

    def __init__(self, weights_file: Path, *, dtype: str = "float32") -> None:
        """Build and compile the network, for any number of images: a network for each number is no faster.

        Args:
            weights_file: npz with `<layer>/kernel` and `<layer>/bias` for VGG16's thirteen convolutions.
            dtype: `float32`, or `bfloat16` where the processor multiplies it; elsewhere OpenVINO would not heed it.

        Raises:
            ValueError: the file lacks a layer, or one has another shape.
        """
        self.dtype = dtype
        self._weights_file = weights_file
        self._is_running = threading.Lock()
        self._run: Any = self._compiled()

    def encode(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the feature map of each image, its 14 x 14 cells in reading order.

        Args:
            images: RGB, uint8, (batch, 224, 224, 3).

        Returns:
            float32, (batch, 196, 512), not negative.

        Raises:
            MemoryError: they are too many.
        """
        inputs = preprocess(images)
        with self._is_running:
            try:
                self._run = self._run or self._compiled()
                cells: npt.NDArray[np.float32] = self._run(inputs)[0]
            except (MemoryError, RuntimeError) as error:
                if isinstance(error, RuntimeError) and "allocate" not in str(error):  # OpenVINO has no class for it
                    raise
                self._run = None  # from then on it would ask for so much for one picture, too
                raise MemoryError(f"{len(images)} pictures are too many for OpenVINO's memory") from error
        return cells

    def _compiled(self) -> Any:
        hints = {
            "INFERENCE_PRECISION_HINT": HINTS[self.dtype],
            "PERFORMANCE_HINT": "LATENCY",
            # A thread for each core that the process may use, as TensorFlow has, but bound to none: the other services
            # compute on the same ones.
            "ENABLE_HYPER_THREADING": True,
            "ENABLE_CPU_PINNING": False,
        }
        return openvino.Core().compile_model(_network(self._weights_file), "CPU", hints)


def _network(weights_file: Path) -> Any:
    pixels = ops.parameter([-1, INPUT_SIDE_PX, INPUT_SIDE_PX, 3], np.float32)
    x = ops.transpose(pixels, np.array([0, 3, 1, 2]))  # (batch, 3, 224, 224)
    for each in read_convolutions(weights_file):
        if each.begins_block:
            x = ops.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)
        filters = ops.constant(np.ascontiguousarray(each.kernel.transpose(3, 2, 0, 1)))
        sums = ops.convolution(x, filters, [1, 1], [1, 1], [1, 1], [1, 1])
        x = ops.relu(ops.add(sums, ops.constant(each.bias.reshape(1, -1, 1, 1))))
    maps = ops.transpose(x, np.array([0, 2, 3, 1]))  # (batch, 14, 14, 512)
    cells = ops.reshape(maps, np.array([0, MAP_SIDE**2, FEATURE_SIZE]), special_zero=True)
    return openvino.Model([cells], [pixels], "vgg16")
