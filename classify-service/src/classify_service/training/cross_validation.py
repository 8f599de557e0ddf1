"""Judge the recipe on sources it did not learn from, and decide there how far the classifier's word is trusted.

The shipped heads learn from every source, so their own figures cannot be honest; those of this module are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from classify_service.model.classifier import Judgement, softmax
from classify_service.model.head import HeadSizes
from classify_service.training.calibration import fit_judgement
from classify_service.training.folds import assign_folds
from classify_service.training.head_training import Recipe, predict_logits, train_head
from classify_service.training.metrics import summary
from classify_service.training.views import Views

AfterEpoch = Callable[[str, int, dict[str, float]], None]


@dataclass(frozen=True)
class HeldOut:
    """What heads said of the examples of folds that they did not learn from."""

    truth: npt.NDArray[np.int64]
    logits: npt.NDArray[np.float64]

    def figures(self, labels: tuple[str, ...], judgement: Judgement) -> dict[str, Any]:
        """Return `metrics.summary`'s figures, and what the thresholds keep of the examples."""
        probabilities = softmax(self.logits / judgement.temperature)
        best = probabilities.argmax(axis=1)
        sure = probabilities.max(axis=1) >= np.array(judgement.thresholds)[best]
        right = best == self.truth
        given = max(int(sure.sum()), 1)
        return {
            **summary(self.truth, probabilities, labels),
            "precision_at_threshold": round(float(right[sure].sum() / given), 6),
            "coverage_at_threshold": round(float(sure.mean()), 6),
        }


def cross_validate(
    views: Views,
    *,
    labels: tuple[str, ...],
    sizes: HeadSizes,
    recipe: Recipe,
    folds: int,
    heads: int,
    after_epoch: AfterEpoch,
) -> HeldOut:
    """Train heads without each fold's sources in turn and ask them about it.

    Squashed examples are learnt from but not asked about: they are no picture that anyone uploads.
    """
    truth = np.array([labels.index(example.label) for example in views.examples])
    asked = np.array([not example.squashed for example in views.examples])
    fold_of = assign_folds(views.examples, count=folds, seed=recipe.seed)
    logits = np.zeros((len(truth), len(labels)))
    for fold in range(folds):
        held_out = np.flatnonzero((fold_of == fold) & asked)
        learning = np.flatnonzero(fold_of != fold)
        trained = train_heads(
            views,
            learning,
            labels=labels,
            sizes=sizes,
            recipe=recipe,
            heads=heads,
            title=f"fold {fold + 1} of {folds}",
            after_epoch=after_epoch,
        )
        if held_out.size:
            logits[held_out] = predict_logits(trained, views, held_out)
    return HeldOut(truth[asked], logits[asked])


def train_heads(
    views: Views,
    chosen: npt.NDArray[np.int64],
    *,
    labels: tuple[str, ...],
    sizes: HeadSizes,
    recipe: Recipe,
    heads: int,
    title: str,
    after_epoch: AfterEpoch,
) -> list[Any]:
    """Return several heads that differ in their seed only."""
    trained = []
    for number in range(heads):
        name = f"{title}, head {number + 1} of {heads}"
        trained.append(
            train_head(
                views,
                chosen,
                labels=labels,
                sizes=sizes,
                recipe=replace(recipe, seed=recipe.seed + number),
                after_epoch=partial(after_epoch, name),
            )
        )
    return trained


def judge(held_out: HeldOut, *, precision: float) -> Judgement:
    """Return temperature and thresholds for held-out logits; see `fit_judgement`."""
    return fit_judgement(held_out.logits, held_out.truth, precision=precision)
