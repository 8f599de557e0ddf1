"""Why a label: where the convolutions saw what speaks for it, and which measured features do.

Both are read from the network that gave the label. The map is a Grad-CAM of the cells that leave the eye, the last
maps before the head pools them; the weight of a feature is what the label loses when the feature is put to the
average of the training pictures, all else as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from classify_service.model.eye import GRID_SIDE, REGION_SIDE
from classify_service.model.features import FEATURE_NAMES
from classify_service.model.features.words import WORDS

MAX_REASONS = 5
MIN_WEIGHT = 0.05
"""In log-odds: about a twentieth more or less likely."""
MIN_DEVIATIONS = 0.5
"""Nearer to the average than this many standard deviations, a feature is neither low nor high."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Reason:
    """A feature that speaks for the label."""

    feature: str
    value: float
    usual: float
    """The training pictures' average."""
    weight: float
    """By how much the label's log-odds fall with the usual value."""
    words: str


@dataclass(frozen=True)
class Evidence:
    """What speaks for the label of the largest logit."""

    logits: Floats
    """(outputs,)"""
    heat_map: Floats
    """(9, 9), 0 to 1, over the whole picture from its upper left corner; all 0 where no cell speaks for the label."""
    reasons: tuple[Reason, ...]
    """The strongest first; none says what another one has said."""


class Explainer:
    """Explains what an eye and the heads that vote over it say."""

    def __init__(self, eye: keras.Model, heads: list[keras.Model]) -> None:
        self._cells = keras.Model(eye.input, eye.get_layer("regions").input)
        self._heads = heads
        offset, factor = heads[0].get_layer("feature_scale").get_weights()
        self._usual: Floats = offset
        self._factor: Floats = factor

    def explain(self, pixels: Floats, features: Floats, *, labels: int, temperature: float) -> Evidence:
        """Return what speaks for the best label.

        Args:
            pixels: See `preprocessing.network_input`.
            features: See `features.measure`.
            labels: How many of the logits are labels: the first ones.
            temperature: Of the classifier's judgement.
        """
        cells = tf.convert_to_tensor(self._cells(pixels[None], training=False))  # (1, 9, 9, 3584)
        with tf.GradientTape() as tape:
            tape.watch(cells)
            logits = self._logits(_regions(cells), features[None])  # (1, outputs)
            best = int(tf.argmax(logits[0, :labels]))
            score = logits[0, best]
        slopes = tape.gradient(score, cells)
        weights = self._weights(_regions(cells), features, best=best, temperature=temperature)
        return Evidence(
            logits=np.asarray(logits[0]),
            heat_map=grad_cam(np.asarray(cells[0]), np.asarray(slopes[0])),
            reasons=reasons(features, weights, usual=self._usual, factor=self._factor),
        )

    def _weights(self, regions: Any, features: Floats, *, best: int, temperature: float) -> Floats:
        """Return by how much the best label's log-odds fall when each feature in turn has its usual value."""
        rows = np.repeat(features[None], len(features) + 1, axis=0)
        np.fill_diagonal(rows[1:], self._usual)
        logits = self._logits(tf.repeat(regions, len(rows), axis=0), rows) / temperature  # (1 + features, outputs)
        others = tf.concat([logits[:, :best], logits[:, best + 1 :]], axis=1)
        log_odds = np.asarray(logits[:, best] - tf.reduce_logsumexp(others, axis=1))
        return np.asarray(log_odds[0] - log_odds[1:], dtype=np.float32)

    def _logits(self, regions: Any, features: Floats) -> Any:
        return tf.add_n(
            [head([regions, tf.convert_to_tensor(features)], training=False) for head in self._heads]
        ) / len(self._heads)


def grad_cam(maps: Floats, slopes: Floats) -> Floats:
    """Return where maps speak for a label, (height, width), 0 to 1.

    Args:
        maps: (height, width, channels).
        slopes: The gradient of the label's logit by each value of `maps`.

    Source: Selvaraju et al., 2017, Grad-CAM, section 3, equations 1 and 2 (arXiv:1610.02391).
    """
    importance = slopes.mean(axis=(0, 1))  # (channels,)
    speaking_for = np.maximum((maps * importance).sum(axis=-1), 0)
    return np.asarray(speaking_for / max(float(speaking_for.max()), 1e-12), dtype=np.float32)


def reasons(features: Floats, weights: Floats, *, usual: Floats, factor: Floats) -> tuple[Reason, ...]:
    """Return the features that weigh most and are clearly low or high; features of equal words count once.

    Args:
        features: See `features.measure`.
        weights: Of each feature; see Reason.
        usual: The average of each feature.
        factor: 1 by the standard deviation of each feature.
    """
    told: dict[frozenset[str], Reason] = {}
    for at in np.argsort(-weights, kind="stable"):
        if weights[at] < MIN_WEIGHT or len(told) == MAX_REASONS:
            break
        deviations = float((features[at] - usual[at]) * factor[at])
        phrases = WORDS[FEATURE_NAMES[at]]
        if abs(deviations) >= MIN_DEVIATIONS and frozenset(phrases) not in told:
            told[frozenset(phrases)] = Reason(
                feature=FEATURE_NAMES[at],
                value=float(features[at]),
                usual=float(usual[at]),
                weight=float(weights[at]),
                words=phrases[deviations > 0],
            )
    return tuple(told.values())


def _regions(cells: Any) -> Any:
    """Pool cells as the eye does, (batch, 3, 3, 3584)."""
    side = GRID_SIDE // REGION_SIDE
    return tf.nn.avg_pool2d(cells, side, side, "VALID")
