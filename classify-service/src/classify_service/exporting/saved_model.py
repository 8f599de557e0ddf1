"""A classifier's network as one graph, from pixels and measured features to labels, written as a SavedModel.

The features are measured by OpenCV, which no graph can hold: whoever asks measures them with `model.features.measure`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from classify_service.model.classifier import Classifier
from classify_service.model.features import FEATURE_NAMES
from classify_service.model.keras_network import KerasNetwork
from shared.model_repository import ExportedTensor

Tensor = Any
CHANNEL_MEANS_BGR = (103.939, 116.779, 123.68)
NO_LABEL = "unclassified"


class ExportedClassifier(tf.Module):
    """What is written: all weights and the one signature."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__(name="classifier")
        if not isinstance(classifier.network, KerasNetwork):
            raise TypeError("only a network that TensorFlow computes can be written as a SavedModel")
        self._network = classifier.network.joined
        self._labels = tf.constant(classifier.labels)
        self._temperature = classifier.judgement.temperature
        self._thresholds = tf.constant(classifier.judgement.thresholds, tf.float32)
        self._label_count = len(classifier.labels)
        self._side_px = classifier.input_side_px

    @property
    def inputs(self) -> tuple[ExportedTensor, ...]:
        """What the signature takes."""
        return (
            ExportedTensor("pixels", "TYPE_UINT8", (self._side_px, self._side_px, 3)),
            ExportedTensor("features", "TYPE_FP32", (len(FEATURE_NAMES),)),
        )

    @property
    def outputs(self) -> tuple[ExportedTensor, ...]:
        """What it gives."""
        return (
            ExportedTensor("label", "TYPE_STRING", (1,)),
            ExportedTensor("labels", "TYPE_STRING", (self._label_count,)),
            ExportedTensor("confidences", "TYPE_FP32", (self._label_count,)),
        )

    def write(self, folder: Path) -> None:
        """Write the SavedModel."""
        pixels, features = (tf.TensorSpec((None, *each.row_shape), name=each.name) for each in self.inputs)
        signature = tf.function(self.classify).get_concrete_function(
            tf.TensorSpec(pixels.shape, tf.uint8, name="pixels"), features
        )
        tf.saved_model.save(self, str(folder), signatures={"serving_default": signature})

    def classify(self, pixels: Tensor, features: Tensor) -> Mapping[str, Tensor]:
        """Return each picture's label, all labels, best first, and their probabilities.

        Args:
            pixels: RGB, uint8, (images, side, side, 3), squashed by `preprocessing.resize`.
            features: As `features.measure` gives them of the whole picture, float32, (images, features).
        """
        prepared = tf.cast(pixels[..., ::-1], tf.float32) - tf.constant(CHANNEL_MEANS_BGR)
        logits = tf.cast(self._network([prepared, features], training=False), tf.float32)
        probabilities = tf.nn.softmax(logits / self._temperature)[:, : self._label_count]
        confidences, order = tf.math.top_k(probabilities, self._label_count)
        labels = tf.gather(self._labels, order)
        is_sure = confidences[:, :1] >= tf.gather(self._thresholds, order[:, :1])
        return {
            "label": tf.where(is_sure, labels[:, :1], NO_LABEL),
            "labels": labels,
            "confidences": confidences,
        }
