"""Judge the recipe on sources it did not learn from, and decide there how far the classifier's word is trusted.

The shipped heads learn from every source, so their own figures cannot be honest; those of this module are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
import numpy.typing as npt

from classify_service.model.classifier import Judgement, softmax
from classify_service.training.calibration import fit_judgement
from classify_service.training.folds import assign_folds, hold_back
from classify_service.training.head_training import TrainedHead, predict_logits
from classify_service.training.judgement_pictures import draw_confusion, draw_reliability
from classify_service.training.metrics import confusion, expected_calibration_error, reliability, summary
from classify_service.training.recipe import Recipe
from classify_service.training.views import Views


class TrainHead(Protocol):
    """Trains one head, or takes it from an earlier run; see `head_training.train_head`."""

    def __call__(
        self,
        name: str,
        chosen: npt.NDArray[np.int64],
        watched: npt.NDArray[np.int64],
        /,
        *,
        epochs: int,
        recipe: Recipe,
    ) -> TrainedHead:
        """Return the head of this name."""


@dataclass(frozen=True)
class HeldOut:
    """What heads said of the examples of folds that they did not learn from."""

    truth: npt.NDArray[np.int64]
    """Index of each example's output; past the labels where it belongs to none."""
    logits: npt.NDArray[np.float64]
    epochs: int
    """After so many, in the median, the heads were best on examples that were held back."""

    def figures(self, labels: tuple[str, ...], judgement: Judgement) -> dict[str, Any]:
        """Return `metrics.summary`'s figures, and what the thresholds keep of the examples that have a label.

        Where there were examples of none, `out_of_scope` is the share of them that is left `unclassified`.
        """
        probabilities = softmax(self.logits / judgement.temperature)[:, : len(labels)]
        best = probabilities.argmax(axis=1)
        sure = probabilities.max(axis=1) >= np.array(judgement.thresholds)[best]
        labelled = self.truth < len(labels)
        right = (best == self.truth)[labelled & sure]
        figures = {
            **summary(self.truth[labelled], probabilities[labelled], labels),
            "precision_at_threshold": round(float(right.mean()), 6) if right.size else 0.0,
            "coverage_at_threshold": round(float(sure[labelled].mean()), 6),
        }
        if not labelled.all():
            figures["out_of_scope"] = round(float(1 - sure[~labelled].mean()), 6)
        return figures

    def draw(self, folder: Path, labels: tuple[str, ...], judgement: Judgement) -> None:
        """Write `confusion.png` and `reliability.png` to a folder."""
        labelled = self.truth < len(labels)
        truth = self.truth[labelled]
        probabilities = softmax(self.logits[labelled] / judgement.temperature)[:, : len(labels)]
        best, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
        right = best == truth
        draw_confusion(confusion(truth, best, count=len(labels)), labels, folder / "confusion.png")
        error = expected_calibration_error(confidence, right)
        draw_reliability(reliability(confidence, right), error, folder / "reliability.png")


def cross_validate(
    views: Views, *, outputs: tuple[str, ...], recipe: Recipe, folds: int, heads: int, train: TrainHead
) -> HeldOut:
    """Train heads without each fold's sources in turn and ask them about it; `outputs` are the examples' labels.

    Examples that are not judged are learnt from but neither watched nor asked about.
    """
    truth = np.array([outputs.index(example.label) for example in views.examples])
    asked = np.array([example.judged for example in views.examples])
    fold_of = assign_folds(views.examples, count=folds, seed=recipe.seed)
    logits = np.zeros((len(truth), len(outputs)))
    best_epochs = []
    for fold in range(folds):
        held_out = np.flatnonzero((fold_of == fold) & asked)
        learning, watched = hold_back(
            views.examples, np.flatnonzero(fold_of != fold), one_in=recipe.hold_back_one_in, seed=recipe.seed
        )
        trained = [
            train(
                f"fold {fold + 1} of {folds}, head {number + 1} of {heads}",
                learning,
                watched,
                epochs=recipe.epochs,
                recipe=replace(recipe, seed=recipe.seed + number),
            )
            for number in range(heads)
        ]
        best_epochs += [head.epochs for head in trained]
        if held_out.size:
            logits[held_out] = predict_logits([head.network for head in trained], views, held_out)
    return HeldOut(truth[asked], logits[asked], round(float(np.median(best_epochs))))


def train_on_all(views: Views, *, epochs: int, recipe: Recipe, heads: int, train: TrainHead) -> list[keras.Model]:
    """Return heads that learn from every example, for as many epochs as served held-back ones best."""
    everything, nothing = np.arange(len(views.examples)), np.array([], dtype=np.int64)
    return [
        train(
            f"all, head {number + 1} of {heads}",
            everything,
            nothing,
            epochs=epochs,
            recipe=replace(recipe, seed=recipe.seed + number),
        ).network
        for number in range(heads)
    ]


def judge(held_out: HeldOut, *, labels: int, precision: float) -> Judgement:
    """Return temperature and thresholds for held-out logits; see `fit_judgement`."""
    return fit_judgement(held_out.logits, held_out.truth, labels=labels, precision=precision)
