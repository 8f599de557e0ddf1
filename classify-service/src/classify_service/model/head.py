"""The head: what is trained. It joins the eye's regions with the OpenCV features and scores every label.

Three branches meet in a deep part: what occurs anywhere (the regions' mean), what stands where (two convolutions over
the 3 x 3 regions), and what OpenCV measured. A linear part, solved by least squares after the deep one has learnt,
votes beside it: the two err on different pictures.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from classify_service.model.head_sizes import SCALE_LIMIT, HeadSizes
from classify_service.model.narrowed_vgg16 import REGION_SIDE, REGION_SIZE

MIN_DEVIATION = 1e-3


class Scale(keras.layers.Layer):
    """Bring each number to mean 0 and deviation 1 by stored statistics, and limit it to SCALE_LIMIT."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the statistics' weights; they are set by `fit_scales` and never trained."""
        self.offset = self.add_weight(name="offset", shape=input_shape[-1:], initializer="zeros", trainable=False)
        self.factor = self.add_weight(name="factor", shape=input_shape[-1:], initializer="ones", trainable=False)

    def call(self, values: Any) -> Any:
        """Return the scaled values, the same shape."""
        return keras.ops.clip((values - self.offset) * self.factor, -SCALE_LIMIT, SCALE_LIMIT)


def build_head(sizes: HeadSizes, *, name: str = "head") -> keras.Model:
    """Return the network from [regions, features] to logits, (batch, outputs).

    Regions are the eye's, (batch, 3, 3, 3584); features are (batch, features), unscaled: the head holds their scale
    and that of the regions, see `fit_scales`.
    """
    regions = keras.Input((REGION_SIDE, REGION_SIDE, REGION_SIZE), name="regions")
    features = keras.Input((sizes.features,), name="features")

    occurring = Scale(name="anywhere_scale")(keras.layers.GlobalAveragePooling2D()(regions))
    anywhere = keras.layers.Dropout(sizes.dropout)(occurring)
    anywhere = keras.layers.Dense(sizes.anywhere, activation="relu", name="anywhere")(anywhere)

    layout = keras.layers.SpatialDropout2D(sizes.dropout)(Scale(name="region_scale")(regions))
    layout = keras.layers.Conv2D(sizes.layout, 1, activation="relu", name="layout_mix")(layout)  # (batch, 3, 3, layout)
    layout = keras.layers.Conv2D(sizes.layout, 3, padding="same", activation="relu", name="layout_conv")(layout)
    layout = keras.layers.Flatten()(layout)

    scaled = Scale(name="feature_scale")(features)
    measured = keras.layers.Dropout(sizes.dropout / 2)(scaled)
    measured = keras.layers.Dense(sizes.measured, activation="relu", name="measured")(measured)

    joint = keras.layers.Concatenate()([anywhere, layout, measured])
    joint = keras.layers.Dropout(sizes.dropout)(joint)
    joint = keras.layers.Dense(sizes.joint, activation="relu", name="joint")(joint)
    joint = keras.layers.Dropout(sizes.dropout)(joint)
    deep = keras.layers.Dense(sizes.outputs, name="logits")(joint)

    seen = keras.layers.Concatenate(name="seen")([occurring, scaled])  # (batch, 3584 + features)
    linear = keras.layers.Dense(
        sizes.outputs, use_bias=False, kernel_initializer="zeros", trainable=False, name="linear"
    )(seen)
    return keras.Model([regions, features], keras.layers.Add(name="sum")([deep, linear]), name=name)


def fit_scales(head: keras.Model, regions: npt.NDArray[np.floating], features: npt.NDArray[np.floating]) -> None:
    """Set the head's three scales from training pictures, (pictures, 3, 3, 3584) and (pictures, features)."""
    single = regions.astype(np.float32)
    scales = {
        "anywhere_scale": single.mean(axis=(1, 2)),
        "region_scale": single.reshape(-1, REGION_SIZE),
        "feature_scale": features,
    }
    for name, values in scales.items():
        deviation = np.maximum(values.std(axis=0), MIN_DEVIATION)
        head.get_layer(name).set_weights([values.mean(axis=0), 1 / deviation])
