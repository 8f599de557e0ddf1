"""How good are the predictions: accuracy, per-class figures, calibration, and what a threshold keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

CALIBRATION_BINS = 15

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ClassFigures:
    """One label's figures."""

    precision: float
    recall: float
    f1: float
    support: int


def per_class(truth: Labels, guess: Labels, labels: tuple[str, ...]) -> dict[str, ClassFigures]:
    """Return each label's precision, recall and F1; a figure without a case is 0.

    Args:
        truth: Index of each example's label.
        guess: Index of each example's best label.
        labels: The labels' names.
    """
    figures = {}
    for at, label in enumerate(labels):
        right = int(np.sum((truth == at) & (guess == at)))
        guessed, present = int(np.sum(guess == at)), int(np.sum(truth == at))
        precision, recall = right / max(guessed, 1), right / max(present, 1)
        f1 = 2 * right / max(guessed + present, 1)
        figures[label] = ClassFigures(precision, recall, f1, present)
    return figures


def macro_f1(figures: dict[str, ClassFigures]) -> float:
    """Return the mean F1 of the labels that have examples."""
    present = [figure.f1 for figure in figures.values() if figure.support]
    return float(np.mean(present)) if present else 0.0


def expected_calibration_error(confidence: Floats, right: npt.NDArray[np.bool_]) -> float:
    """Return how far confidence and accuracy lie apart, weighted over 15 bins of equal width.

    Source: Guo et al., 2017, On Calibration of Modern Neural Networks, section 2 (arXiv:1706.04599).
    """
    bins = _bins(confidence)
    gaps = [
        np.sum(bins == at) * abs(float(confidence[bins == at].mean()) - float(right[bins == at].mean()))
        for at in np.unique(bins)
    ]
    return float(sum(gaps) / len(confidence)) if len(confidence) else 0.0


def reliability(confidence: Floats, right: npt.NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Return the bins of `expected_calibration_error` that have images, from low to high.

    Each has `from` (its lower end), `images`, and the means `confidence` and `accuracy`.
    """
    bins = _bins(confidence)
    return [
        {
            "from": round(float(at) / CALIBRATION_BINS, 6),
            "images": int(np.sum(bins == at)),
            "confidence": round(float(confidence[bins == at].mean()), 6),
            "accuracy": round(float(right[bins == at].mean()), 6),
        }
        for at in np.unique(bins)
    ]


def confusion(truth: Labels, guess: Labels, *, count: int) -> list[list[int]]:
    """Return how many examples of each label (rows) got which best label (columns), for `count` labels."""
    counts = np.zeros((count, count), dtype=np.int64)
    np.add.at(counts, (truth, guess), 1)
    rows: list[list[int]] = counts.tolist()
    return rows


def summary(truth: Labels, probabilities: Floats, labels: tuple[str, ...]) -> dict[str, Any]:
    """Return accuracy, macro-F1, ECE and the per-class table as plain numbers, six digits.

    Args:
        truth: Index of each example's label, (examples,).
        probabilities: (examples, labels).
        labels: The labels' names.
    """
    guess = probabilities.argmax(axis=1)
    figures = per_class(truth, guess, labels)
    right = guess == truth
    return {
        "accuracy": round(float(right.mean()), 6) if len(truth) else 0.0,
        "macro_f1": round(macro_f1(figures), 6),
        "ece": round(expected_calibration_error(probabilities.max(axis=1), right), 6) if len(truth) else 0.0,
        "per_class": {
            label: {
                "precision": round(figure.precision, 6),
                "recall": round(figure.recall, 6),
                "f1": round(figure.f1, 6),
                "support": figure.support,
            }
            for label, figure in figures.items()
        },
    }


def table(figures: dict[str, Any]) -> str:
    """Return `summary`'s figures as lines that a person reads."""
    width = max(len(label) for label in [*figures["per_class"], "macro"])
    lines = [f"{'label':<{width}}  precision  recall     f1  images"]
    for label, row in figures["per_class"].items():
        numbers = f"{row['precision']:9.3f}  {row['recall']:6.3f}  {row['f1']:5.3f}  {row['support']:6d}"
        lines.append(f"{label:<{width}}  {numbers}")
    lines.append(
        f"accuracy {figures['accuracy']:.3f}, macro-F1 {figures['macro_f1']:.3f}, "
        f"expected calibration error {figures['ece']:.3f}"
    )
    return "\n".join(lines)


def _bins(confidence: Floats) -> npt.NDArray[np.int64]:
    return np.minimum((confidence * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
