"""How fast a training learns at each step: it warms up, and then slows down along half a cosine."""

from __future__ import annotations

import keras


def warmed_cosine(
    rate: float, *, steps: int, warmup_steps: int, floor: float
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Return the learning rate by step.

    Args:
        rate: The highest learning rate, at the end of the warm-up.
        steps: Steps of the whole training.
        warmup_steps: Steps of the warm-up; a short training takes at most a quarter of its steps for it.
        floor: Share of the rate that is left at the end.
    """
    warmup_steps = min(warmup_steps, max(1, steps // 4))
    return keras.optimizers.schedules.CosineDecay(
        0.0,
        decay_steps=max(1, steps - warmup_steps),
        alpha=floor,
        warmup_target=rate,
        warmup_steps=warmup_steps,
    )
