"""Train one head on cached views: the recipe, and nothing of where data comes from or goes to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt

from classify_service.model.head import build_head, fit_scales
from classify_service.model.head_sizes import HeadSizes
from classify_service.training.linear_part import solve_linear_part
from classify_service.training.recipe import Recipe
from classify_service.training.sampling import BalancedBatches
from classify_service.training.views import Views

PREDICTION_BATCH = 64


@dataclass(frozen=True)
class TrainedHead:
    """A head, and after how many epochs it was best."""

    network: keras.Model
    epochs: int


def train_head(
    views: Views,
    chosen: npt.NDArray[np.int64],
    watched: npt.NDArray[np.int64],
    *,
    epochs: int,
    labels: tuple[str, ...],
    sizes: HeadSizes,
    recipe: Recipe,
    after_epoch: Callable[[int, dict[str, float]], None],
) -> TrainedHead:
    """Return a head trained on `views.examples[chosen]`; AdamW, cosine decay after one epoch of warm-up.

    Args:
        views: See Views.
        chosen: Indices of the examples to learn from.
        watched: Indices of held-back examples. The weights of the epoch with the least loss on them are kept, and
            training stops `recipe.patience` epochs after it. Where there are none, training ends after `epochs`.
        epochs: At most so many, not more than `recipe.epochs`, along which the learning rate falls.
        labels: The labels' names.
        sizes: The head's widths.
        recipe: See Recipe.
        after_epoch: Told each epoch's number, from 1, and its figures: `loss`, and with watched examples `val_loss`
            and `val_accuracy`.
    """
    keras.utils.set_random_seed(recipe.seed)
    head = build_head(sizes)
    fit_scales(head, views.regions[0][chosen], views.features[0][chosen])
    batches = BalancedBatches(
        views.examples,
        chosen,
        regions=views.regions,
        features=views.features,
        labels=labels,
        batch_size=min(recipe.batch_size, len(chosen)),
        mix=recipe.mix,
        seed=recipe.seed,
    )
    steps = len(batches)
    rate = keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate / 20,
        decay_steps=max(1, steps * (recipe.epochs - 1)),
        warmup_target=recipe.learning_rate,
        warmup_steps=steps,
    )
    head.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, clipnorm=1.0),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.label_smoothing),
        metrics=["accuracy"],
    )
    told = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: after_epoch(epoch + 1, dict(logs or {})))
    stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=recipe.patience, restore_best_weights=True)
    head.fit(
        batches,
        epochs=epochs,
        verbose=0,
        callbacks=[told, stop] if watched.size else [told],
        validation_data=_inputs_and_targets(views, watched, labels) if watched.size else None,
        validation_batch_size=PREDICTION_BATCH,
        shuffle=False,
    )
    solve_linear_part(head, views, chosen, labels=labels, ridge=recipe.ridge, scale=recipe.linear_scale)
    return TrainedHead(head, stop.best_epoch + 1 if watched.size else epochs)


def predict_logits(
    heads: Sequence[keras.Model], views: Views, chosen: npt.NDArray[np.int64], *, number: int = 0
) -> npt.NDArray[np.float64]:
    """Return the heads' mean logits for one view of some examples, (len(chosen), labels)."""
    logits = []
    for start in range(0, len(chosen), PREDICTION_BATCH):
        part = chosen[start : start + PREDICTION_BATCH]
        inputs = [views.regions[number][part].astype(np.float32), views.features[number][part]]
        logits.append(np.mean([head.predict_on_batch(inputs) for head in heads], axis=0))
    return np.concatenate(logits).astype(np.float64)


def _inputs_and_targets(
    views: Views, chosen: npt.NDArray[np.int64], labels: tuple[str, ...]
) -> tuple[tuple[npt.NDArray[np.float32], ...], npt.NDArray[np.float32]]:
    regions, features = views.regions[0][chosen].astype(np.float32), views.features[0][chosen]
    targets = np.eye(len(labels), dtype=np.float32)[[labels.index(views.examples[at].label) for at in chosen]]
    return (regions, features), targets
