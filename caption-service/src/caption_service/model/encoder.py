"""The eye: VGG16's ImageNet convolutions, which turn a picture into a map of features.

The convolutions never change, so their file is kept apart from every decoder's and shipped once.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from caption_service.model.backends import Backend
from caption_service.model.preprocessing import INPUT_SIDE_PX, preprocess
from caption_service.model.sight import FEATURE_SIZE, MAP_SIDE

FIRST = "block1_conv1"


class Encoder:
    """VGG16 up to its last convolution, block5_conv3.

    Source: Simonyan and Zisserman, 2015, configuration D (arXiv:1409.1556).
    """

    backend: Backend = "tensorflow"

    def __init__(self, weights_file: Path, *, dtype: str = "float32") -> None:
        """Build the network and load its weights.

        Args:
            weights_file: npz with `<layer>/kernel` and `<layer>/bias` for VGG16's thirteen convolutions.
            dtype: What the convolutions compute in; see `processor.fast_dtype`.

        Raises:
            ValueError: the file lacks a layer, or one has another shape.
        """
        shape = (INPUT_SIDE_PX, INPUT_SIDE_PX, 3)
        vgg16 = keras.applications.VGG16(include_top=False, weights=None, input_shape=shape)
        load_convolutions(vgg16, weights_file)
        vgg16.trainable = False
        network = keras.Model(vgg16.input, vgg16.get_layer("block5_conv3").output)
        self.dtype = dtype
        self.network = network if dtype == "float32" else _in(network, dtype)

    def encode(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the feature map of each image, its 14 x 14 cells in reading order.

        Args:
            images: RGB, uint8, (batch, 224, 224, 3).

        Returns:
            float32, (batch, 196, 512), not negative.

        Raises:
            MemoryError: they are too many.
        """
        try:
            maps = np.asarray(self.network.predict_on_batch(preprocess(images)))  # (batch, 14, 14, 512)
        except tf.errors.ResourceExhaustedError as error:
            raise MemoryError(f"{len(images)} pictures are too many for TensorFlow's memory") from error
        cells: npt.NDArray[np.float32] = maps.astype(np.float32).reshape(len(images), MAP_SIDE**2, FEATURE_SIZE)
        return cells


def _in(network: keras.Model, dtype: str) -> keras.Model:
    """Return the same network with weights and sums in `dtype`: casting float32 weights at each call takes longer.

    The first convolution stays in float32: there half of what bfloat16 loses would be lost.
    """

    def in_dtype(layer: keras.Layer) -> keras.Layer:
        is_first = isinstance(layer, keras.layers.InputLayer) or layer.name == FIRST
        return type(layer).from_config({**layer.get_config(), "dtype": "float32" if is_first else dtype})

    copy = keras.models.clone_model(network, clone_function=in_dtype)
    copy.set_weights(network.get_weights())
    copy.trainable = False
    return copy


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
