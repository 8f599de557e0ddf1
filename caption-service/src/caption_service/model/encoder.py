"""The eye: VGG16's ImageNet convolutions, which turn a picture into a map of features.

The convolutions never change, so their file is kept apart from every decoder's and shipped once.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from caption_service.model.preprocessing import INPUT_SIDE_PX, preprocess

FEATURE_SIZE = 512
"""Channels of VGG16's last convolution map."""

GRID_SIDES = {14: "block5_conv3", 7: "block5_pool"}
"""Cells along one side of the feature map, and the VGG16 layer that gives it."""


class Encoder:
    """VGG16 up to its last convolution (14 x 14) or the max-pooling after it (7 x 7).

    Source: Simonyan and Zisserman, 2015, configuration D (arXiv:1409.1556).
    """

    def __init__(self, weights_file: Path, *, grid_side: int) -> None:
        """Build the network and load its weights.

        Args:
            weights_file: npz with `<layer>/kernel` and `<layer>/bias` for VGG16's thirteen convolutions.
            grid_side: 14 or 7.

        Raises:
            ValueError: another grid side, or the file lacks a layer or has another shape.
        """
        if grid_side not in GRID_SIDES:
            raise ValueError(f"the encoder has no grid of side {grid_side}; it has {sorted(GRID_SIDES)}")
        vgg16 = keras.applications.VGG16(include_top=False, weights=None, input_shape=(INPUT_SIDE_PX, INPUT_SIDE_PX, 3))
        load_convolutions(vgg16, weights_file)
        vgg16.trainable = False
        self._network = keras.Model(vgg16.input, vgg16.get_layer(GRID_SIDES[grid_side]).output)
        self.grid_side = grid_side

    def encode(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the feature map of each image, its cells in reading order.

        Args:
            images: RGB, uint8, (batch, 224, 224, 3).

        Returns:
            float32, (batch, grid_side ** 2, 512), not negative.
        """
        maps = self._network.predict_on_batch(preprocess(images))  # (batch, side, side, 512)
        cells: npt.NDArray[np.float32] = np.asarray(maps).reshape(len(images), -1, FEATURE_SIZE)
        return cells


def load_convolutions(network: keras.Model, weights_file: Path) -> None:
    """Fill every convolution of `network` from the npz, by Keras' layer names.

    Raises:
        ValueError: the file lacks a layer, or one has another shape.
    """
    with np.load(weights_file, allow_pickle=False) as stored:
        for layer in network.layers:
            if not isinstance(layer, keras.layers.Conv2D):
                continue
            keys = (f"{layer.name}/kernel", f"{layer.name}/bias")
            if missing := [key for key in keys if key not in stored]:
                raise ValueError(f"{weights_file.name} lacks {', '.join(missing)}")
            layer.set_weights([stored[key].astype(np.float32) for key in keys])
