"""The same eye as `model.encoder`, computed by ncnn in float32, which multiplies least for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from caption_service.model.backends import Backend
from caption_service.model.convolutions import read_convolutions
from caption_service.model.preprocessing import preprocess
from caption_service.model.sight import FEATURE_SIZE, MAP_SIDE
from shared.convolution_network import Layers


class NcnnEncoder:
    """VGG16 up to its last convolution, block5_conv3; several threads may call it at a time."""

    backend: Backend = "ncnn"
    dtype = "float32"

    def __init__(self, weights_file: Path) -> None:
        """Build the network.

        Args:
            weights_file: See `convolutions.read_convolutions`.

        Raises:
            ValueError: the file lacks a layer, or one has another shape.
        """
        layers, last = Layers(), ""
        for each in read_convolutions(weights_file):
            if each.begins_block:
                layers.max_pooling(f"{last}_pool")
            layers.convolution(each.name, each.kernel, each.bias)
            last = each.name
        self._network = layers.network(last)

    def encode(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the feature map of each image, its 14 x 14 cells in reading order.

        The images are computed one after the other, each on all cores: together they would not be sooner.

        Args:
            images: RGB, uint8, (batch, 224, 224, 3).

        Returns:
            float32, (batch, 196, 512), not negative.

        Raises:
            MemoryError: there is not enough for one.
        """
        pictures = preprocess(images).transpose(0, 3, 1, 2)  # (batch, 3, 224, 224)
        maps = np.stack([self._network.maps(picture)[0] for picture in pictures])  # (batch, 512, 14, 14)
        cells = maps.reshape(len(images), FEATURE_SIZE, MAP_SIDE**2).transpose(0, 2, 1)
        return np.ascontiguousarray(cells)
