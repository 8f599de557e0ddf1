"""How a head is trained, as plain numbers: `--help` shows them without loading Keras."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How a head is trained."""

    epochs: int = 16
    """At most so many; the learning rate falls along them even where training stops early."""
    patience: int = 4
    """Epochs without gain on held-back examples after which a head stops."""
    hold_back_one_in: int = 6
    """Of the examples that a fold's heads may learn from, one in so many is only watched; 0 watches none."""
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    mix: float = 0.2
    ridge: float = 1.0
    linear_scale: float = 5.0
    seed: int = 0
