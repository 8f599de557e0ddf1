"""The classifier's network by Keras: where there is a GPU or a precision is asked for, in training and for export."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from classify_service.model.explanation import (
    Evidence,
    Floats,
    each_as_usual,
    grad_cam,
    lost_log_odds,
    reasons,
)
from classify_service.model.eye import build_eye, fast_dtype, load_convolutions
from classify_service.model.head import build_head
from classify_service.model.head_sizes import HeadSizes
from classify_service.model.narrowed_vgg16 import GRID_SIDE, REGION_SIDE


class KerasNetwork:
    """An eye and the heads that vote over it."""

    def __init__(self, eye: keras.Model, heads: list[keras.Model]) -> None:
        self.eye, self.heads = eye, heads
        self.joined = join(eye, heads)
        self.input_side_px: int = eye.input_shape[1]

    def logits(self, pixels: Floats, features: Floats) -> Floats:
        """Return the logits of pictures; see `classifier.Network`."""
        try:
            return np.asarray(self.joined.predict_on_batch([pixels, features]))
        except tf.errors.ResourceExhaustedError as error:
            raise MemoryError(f"{len(pixels)} pictures are too many for the network's memory") from error

    def explain(self, pixels: Floats, features: Floats, *, labels: int, temperature: float) -> Evidence:
        """Return what speaks for the best label; see `classifier.Network`."""
        return self._explainer.explain(pixels, features, labels=labels, temperature=temperature)

    @cached_property
    def _explainer(self) -> Explainer:
        """Built when it is first asked for: whoever only classifies pays nothing."""
        return Explainer(self.eye, self.heads)


class Explainer:
    """Explains what an eye and the heads that vote over it say."""

    def __init__(self, eye: keras.Model, heads: list[keras.Model]) -> None:
        self._cells = keras.Model(eye.input, eye.get_layer("regions").input)
        self._heads = heads
        offset, factor = heads[0].get_layer("feature_scale").get_weights()
        self._usual: Floats = offset
        self._factor: Floats = factor

    def explain(self, pixels: Floats, features: Floats, *, labels: int, temperature: float) -> Evidence:
        """Return what speaks for the best label; see `classifier.Network`."""
        cells = tf.convert_to_tensor(self._cells(pixels[None], training=False))  # (1, 9, 9, 3584)
        with tf.GradientTape() as tape:
            tape.watch(cells)
            logits = self._logits(_regions(cells), features[None])  # (1, outputs)
            best = int(tf.argmax(logits[0, :labels]))
            score = logits[0, best]
        slopes = tape.gradient(score, cells)
        rows = each_as_usual(features, self._usual)
        as_usual = self._logits(tf.repeat(_regions(cells), len(rows), axis=0), rows)  # (1 + features, outputs)
        weights = lost_log_odds(np.asarray(as_usual), best, temperature)
        return Evidence(
            logits=np.asarray(logits[0]),
            heat_map=grad_cam(np.asarray(cells[0]), np.asarray(slopes[0])),
            reasons=reasons(features, weights, usual=self._usual, factor=self._factor),
        )

    def _logits(self, regions: Any, features: Floats) -> Any:
        return tf.add_n(
            [head([regions, tf.convert_to_tensor(features)], training=False) for head in self._heads]
        ) / len(self._heads)


def join(eye: keras.Model, heads: list[keras.Model]) -> keras.Model:
    """Return the network from [pixels, features] to logits; several heads vote by the mean of their logits."""
    pixels = keras.Input(eye.input_shape[1:], name="pixels")
    features = keras.Input(heads[0].input_shape[1][1:], name="features")
    regions = eye(pixels)
    votes = [head([regions, features]) for head in heads]  # each (batch, labels)
    return keras.Model([pixels, features], keras.layers.Average()(votes) if len(votes) > 1 else votes[0])


def empty_networks(
    *, input_side_px: int, heads: int, sizes: HeadSizes, dtype: str | None = None
) -> tuple[keras.Model, list[keras.Model]]:
    """Return an eye and heads with random weights."""
    return build_eye(input_side_px=input_side_px, dtype=dtype or fast_dtype()), [
        build_head(sizes, name=f"head_{number}") for number in range(heads)
    ]


def filled_network(
    stored: Mapping[str, npt.NDArray[Any]], *, input_side_px: int, heads: int, sizes: HeadSizes, dtype: str | None
) -> KerasNetwork:
    """Return a network with an artifact's weights.

    Raises:
        ValueError: one is missing or has another shape.
    """
    eye, empty = empty_networks(input_side_px=input_side_px, heads=heads, sizes=sizes, dtype=dtype)
    load_convolutions(eye, stored)
    for number, head in enumerate(empty):
        _fill(head, stored, prefix=f"head_{number}")
    return KerasNetwork(eye, empty)


def variables(head: keras.Model, *, prefix: str) -> list[tuple[str, Any]]:
    """Return a head's weights, each with the name under which an artifact keeps it."""
    return [(f"{prefix}/{layer.name}/{variable.name}", variable) for layer in head.layers for variable in layer.weights]


def _regions(cells: Any) -> Any:
    """Pool cells as the eye does, (batch, 3, 3, 3584)."""
    side = GRID_SIDE // REGION_SIDE
    return tf.nn.avg_pool2d(cells, side, side, "VALID")


def _fill(head: keras.Model, stored: Mapping[str, npt.NDArray[Any]], *, prefix: str) -> None:
    for name, variable in variables(head, prefix=prefix):
        if name not in stored:
            raise ValueError(f"the weights lack {name}")
        if stored[name].shape != tuple(variable.shape):
            raise ValueError(f"{name} has shape {stored[name].shape}, but {tuple(variable.shape)} is needed")
        variable.assign(stored[name].astype(np.float32))
