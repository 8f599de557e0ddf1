"""VGG16's last block as something that learns.

Blocks 1 to 4 stay as ImageNet made them; their maps are computed once. Block 5 is what a tuning changes, so it alone
passes gradients. Its weights go back into a whole encoder file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import ops

from caption_service.model.sight import FEATURE_SIZE, MAP_SIDE
from caption_service.model.speech import Tensor

BLOCK_5 = ("block5_conv1", "block5_conv2", "block5_conv3")
PARTS = ("kernel", "bias")
CELLS = (MAP_SIDE // 2) ** 2
IMAGES_AT_ONCE = 25


class Tail(keras.Model):
    """Block 5 and the pooling after it: from block 4's map (14 x 14) to what a decoder looks at (7 x 7).

    It multiplies in bfloat16, which halves the time where the processor has it and keeps float32's range.
    """

    def __init__(self, encoder_file: Path) -> None:
        super().__init__(name="tail")
        self.convolutions = [
            keras.layers.Conv2D(FEATURE_SIZE, 3, padding="same", activation="relu", name=name, dtype="mixed_bfloat16")
            for name in BLOCK_5
        ]
        self.pool = keras.layers.MaxPooling2D(2, dtype="mixed_bfloat16")
        self(ops.zeros((1, MAP_SIDE, MAP_SIDE, FEATURE_SIZE)))
        self.read(encoder_file)
        self._look = tf.function(self.call, reduce_retracing=True)

    def read(self, encoder_file: Path) -> None:
        """Take block 5 of an encoder's npz."""
        with np.load(encoder_file, allow_pickle=False) as stored:
            for layer in self.convolutions:
                layer.set_weights([stored[f"{layer.name}/{part}"].astype(np.float32) for part in PARTS])

    def call(self, maps: Tensor, training: bool = False) -> Tensor:  # noqa: ARG002
        """Return what the decoder looks at, float32, (batch, 49, 512).

        Args:
            maps: Block 4's map after its pooling, (batch, 14, 14, 512).
            training: Changes nothing: nothing is dropped here.
        """
        for layer in self.convolutions:
            maps = layer(maps)
        return ops.reshape(ops.cast(self.pool(maps), "float32"), (-1, CELLS, FEATURE_SIZE))

    def look(self, maps: npt.NDArray[np.float16]) -> npt.NDArray[np.float16]:
        """Return what a decoder looks at of many images, (images, 49, 512).

        Args:
            maps: Block 4's maps, (images, 14, 14, 512); of a memory-mapped file only a few at a time are read.
        """
        parts = [
            self._look(tf.constant(maps[start : start + IMAGES_AT_ONCE])).numpy().astype(np.float16)
            for start in range(0, len(maps), IMAGES_AT_ONCE)
        ]
        return np.concatenate(parts)

    def write_encoder(self, base: Path, file: Path) -> None:
        """Write the encoder `base` with this block 5 in half precision.

        Args:
            base: The encoder's npz that the other blocks are taken from.
            file: The npz to write.
        """
        with np.load(base, allow_pickle=False) as stored:
            arrays: dict[str, npt.NDArray[Any]] = {name: stored[name] for name in stored}
        for layer in self.convolutions:
            for part, value in zip(PARTS, layer.get_weights(), strict=True):
                arrays[f"{layer.name}/{part}"] = value.astype(np.float16)
        np.savez(file, **arrays)  # type: ignore[arg-type]  # numpy types the keywords as flags
