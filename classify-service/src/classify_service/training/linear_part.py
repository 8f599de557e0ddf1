"""Solve a head's linear part by weighted least squares with a ridge: exact, in seconds, without a learning rate.

Targets are 1 for an example's label and -1 for the others; the weights are the shares by which the deep part draws.
"""

from __future__ import annotations

import keras
import numpy as np
import numpy.typing as npt

from classify_service.model.narrowed_vgg16 import REGION_SIZE
from classify_service.training.sampling import draw_shares
from classify_service.training.views import Views

FEATURE_WEIGHT = 3.0
"""How much more the features count than the eye, both taken as a whole."""

PREDICTION_BATCH = 256


def solve_linear_part(
    head: keras.Model,
    views: Views,
    chosen: npt.NDArray[np.int64],
    *,
    labels: tuple[str, ...],
    ridge: float,
    scale: float,
) -> None:
    """Set the kernel of `head`'s layer `linear` from every view of some examples.

    Args:
        head: See `head.build_head`; its scales are set.
        views: See Views.
        chosen: Indices of the examples to learn from.
        labels: The labels' names.
        ridge: Penalty on the squared kernel, in inputs whose two groups are weighted to a total of about 1.
        scale: What the solution is multiplied with, so that it weighs as much as the deep part's logits.
    """
    seen = keras.Model(head.inputs, head.get_layer("seen").output)
    feature_count = len(views.features[0][0])
    eye_weights = np.full(REGION_SIZE, REGION_SIZE**-0.5)
    weights = np.concatenate([eye_weights, np.full(feature_count, FEATURE_WEIGHT * feature_count**-0.5)])
    shares = draw_shares([views.examples[at] for at in chosen]) * len(chosen)
    truth = np.array([labels.index(views.examples[at].label) for at in chosen])
    targets = 2 * np.eye(len(labels))[truth] - 1
    squares = ridge * np.eye(len(weights))
    products = np.zeros((len(weights), len(labels)))
    for regions, features in zip(views.regions, views.features, strict=True):
        for start in range(0, len(chosen), PREDICTION_BATCH):
            part = slice(start, start + PREDICTION_BATCH)
            inputs = [regions[chosen[part]].astype(np.float32), features[chosen[part]]]
            values = np.asarray(seen.predict_on_batch(inputs)) * weights  # (batch, seen)
            weighted = values * shares[part, None]
            squares += weighted.T @ values
            products += weighted.T @ targets[part]
    kernel = weights[:, None] * np.linalg.solve(squares, products)
    head.get_layer("linear").set_weights([(scale * kernel).astype(np.float32)])
