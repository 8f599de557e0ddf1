"""Why a label: where the convolutions saw what speaks for it, and which measured features do.

Both are read from the network that gave the label. The map is a Grad-CAM of the cells that leave the eye, the last
maps before the head pools them; the weight of a feature is what the label loses when the feature is put to the
average of the training pictures, all else as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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


def each_as_usual(features: Floats, usual: Floats) -> Floats:
    """Return the features, and below them as often as there are features with one of them as usual, in turn."""
    rows = np.repeat(features[None], len(features) + 1, axis=0)
    np.fill_diagonal(rows[1:], usual)
    return rows


def lost_log_odds(logits: Floats, best: int, temperature: float) -> Floats:
    """Return by how much the best label's log-odds fall in each further row from those in the first.

    Args:
        logits: Of `each_as_usual`, (1 + features, outputs).
        best: The label's place.
        temperature: Of the classifier's judgement.
    """
    tempered = logits / temperature
    others = np.delete(tempered, best, axis=1)
    log_odds = tempered[:, best] - np.logaddexp.reduce(others, axis=1)
    return np.asarray(log_odds[0] - log_odds[1:], dtype=np.float32)


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
