"""How well confidences keep their promise: a logistic fit, the calibration error, and a picture of both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from caption_service.model.confidence import Calibration

FOLDS = 5
BINS = 10
RIDGE = 1e-3
"""Keeps the fit finite where a threshold separates the captions."""
NEWTON_STEPS = 30

Numbers = npt.NDArray[np.float64]


def fit(word_log_probabilities: Numbers, is_good: Numbers, *, cider_d: float) -> Calibration:
    """Fit the logistic curve by Newton's method.

    Args:
        word_log_probabilities: Of each caption, nats, (captions,).
        is_good: 1.0 where people agree with the caption, else 0.0, (captions,).
        cider_d: What "agree" means, kept with the curve.
    """
    inputs = np.stack([np.ones_like(word_log_probabilities), word_log_probabilities], axis=1)
    weights = np.zeros(2)
    for _ in range(NEWTON_STEPS):
        chance = 1.0 / (1.0 + np.exp(-inputs @ weights))
        slope = inputs.T @ (is_good - chance) - RIDGE * weights
        curvature = (inputs * (chance * (1 - chance))[:, None]).T @ inputs + RIDGE * np.eye(2)
        weights += np.linalg.solve(curvature, slope)
    return Calibration(intercept=round(float(weights[0]), 5), slope=round(float(weights[1]), 5), cider_d=cider_d)


def cross_fitted(word_log_probabilities: Numbers, is_good: Numbers, *, cider_d: float, seed: int = 1) -> Numbers:
    """Return each caption's confidence by a curve that was fitted on the other folds, (captions,)."""
    fold = np.random.default_rng(seed).permutation(len(is_good)) % FOLDS
    confidences = np.zeros(len(is_good))
    for held in range(FOLDS):
        kept = fold != held
        curve = fit(word_log_probabilities[kept], is_good[kept], cider_d=cider_d)
        confidences[~kept] = [curve.confidence(each) for each in word_log_probabilities[~kept]]
    return confidences


def calibration_error(confidences: Numbers, is_good: Numbers) -> float:
    """Return the expected calibration error over ten equal bins (Naeini et al., 2015), 0 to 1."""
    return float(sum(len(rows) * abs(told - true) for rows, told, true in _binned(confidences, is_good)) / len(is_good))


def draw_reliability(confidences: Numbers, is_good: Numbers, picture: Path, *, cider_d: float) -> None:
    """Draw what was promised against what came true, a dot a tenth, as large as it is full."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - serving does not have it

    bins = _binned(confidences, is_good)
    figure = Figure(figsize=(4.2, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
    sizes = [20 + 400 * len(rows) / len(is_good) for rows, _, _ in bins]
    axes.scatter([told for _, told, _ in bins], [true for _, _, true in bins], s=sizes)
    axes.set(
        xlabel="confidence told",
        ylabel=f"share with CIDEr-D of at least {cider_d:g}",
        xlim=(0, 1),
        ylim=(0, 1),
        title=f"{len(is_good)} captions, calibration error {calibration_error(confidences, is_good):.3f}",
    )
    axes.grid(alpha=0.3)
    figure.savefig(picture, dpi=120)


def _binned(confidences: Numbers, is_good: Numbers) -> list[tuple[npt.NDArray[np.int64], float, float]]:
    """Return each filled tenth's captions, their mean confidence, and the share of them that is good."""
    bins = np.minimum((confidences * BINS).astype(int), BINS - 1)
    filled = (np.flatnonzero(bins == each) for each in range(BINS))
    return [(rows, float(confidences[rows].mean()), float(is_good[rows].mean())) for rows in filled if len(rows)]
