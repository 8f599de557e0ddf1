"""How far the classifier's word is trusted: a temperature, and a threshold for each label.

Both are fitted on sources that it did not learn from.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from classify_service.model.classifier import Judgement, softmax

LOWEST_THRESHOLD = 0.5
TEMPERATURES = np.exp(np.linspace(np.log(0.25), np.log(6), 160))

Logits = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


def fit_judgement(logits: Logits, truth: Labels, *, labels: int, precision: float) -> Judgement:
    """Return the temperature of least cross-entropy, and each label's lowest threshold that reaches a precision.

    No threshold lies under LOWEST_THRESHOLD: a label that is as likely wrong as right is not given. A label that was
    never the best one of a held-out example gets the threshold of all labels together.

    Args:
        logits: Of held-out examples, (examples, outputs).
        truth: Index of each one's output, (examples,).
        labels: How many of the outputs are labels: the first ones. Examples of none of them are wrong under each.
        precision: Share of right labels wanted among those that are given, 0 to 1. Where none reaches it, the
            threshold of the best precision is taken.
    """
    temperature = fit_temperature(logits, truth)
    probabilities = softmax(logits / temperature)[:, :labels]
    best, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = best == truth
    together = np.ones(len(truth), dtype=np.bool_)
    given = [best == label if (best == label).any() else together for label in range(labels)]
    thresholds = [fit_threshold(confidence[chosen], right[chosen], precision=precision) for chosen in given]
    return Judgement(temperature, tuple(max(LOWEST_THRESHOLD, threshold) for threshold in thresholds))


def fit_temperature(logits: Logits, truth: Labels) -> float:
    """Return the temperature whose probabilities of the true labels have the least mean cross-entropy."""
    losses = [_cross_entropy(logits / temperature, truth) for temperature in TEMPERATURES]
    return round(float(TEMPERATURES[int(np.argmin(losses))]), 4)


def fit_threshold(confidence: npt.NDArray[np.float64], right: npt.NDArray[np.bool_], *, precision: float) -> float:
    """Return the lowest confidence from which on the share of right labels reaches `precision`.

    It is 0 where all of the labels together reach it.
    """
    order = np.argsort(-confidence, kind="stable")
    precisions = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    reached = np.flatnonzero(precisions >= precision)
    if reached.size and reached[-1] == len(order) - 1:
        return 0.0
    last = int(reached[-1]) if reached.size else int(precisions.argmax())
    return float(np.floor(confidence[order[last]] * 1000) / 1000)


def _cross_entropy(logits: Logits, truth: Labels) -> float:
    top = logits.max(axis=1)
    partition = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return float(np.mean(partition - logits[np.arange(len(truth)), truth]))
