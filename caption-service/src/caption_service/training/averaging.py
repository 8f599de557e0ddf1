"""The running average of weights, for a training that starts from a trained model.

Such a model is good before its first step. So the average starts there, forgets it soon, and looks back further the
longer the training lasts.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import numpy.typing as npt
from keras import ops


class RunningAverage:
    """Follows some variables, step by step."""

    def __init__(self, followed: Sequence[keras.Variable], *, momentum: float) -> None:
        """Start at the present values.

        Args:
            followed: The variables.
            momentum: Share of the average that a step leaves, once the training is long enough.
        """
        self._followed = list(followed)
        self._momentum = momentum
        self._steps = keras.Variable(0.0, trainable=False, name="averaged_steps")
        self._means = [keras.Variable(np.asarray(each), trainable=False) for each in self._followed]

    @property
    def variables(self) -> list[keras.Variable]:
        """Return what must be kept for the average to go on."""
        return [self._steps, *self._means]

    def follow(self) -> None:
        """Take in the variables' values after a step; also inside a graph."""
        momentum = ops.minimum(self._momentum, (1.0 + self._steps) / (10.0 + self._steps))
        for mean, each in zip(self._means, self._followed, strict=True):
            mean.assign(momentum * mean + (1.0 - momentum) * each)
        self._steps.assign_add(1.0)

    def values(self) -> list[npt.NDArray[np.float32]]:
        """Return the averages in the order of the variables."""
        return [np.asarray(mean) for mean in self._means]
