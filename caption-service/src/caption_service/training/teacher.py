"""Teach a decoder: one gradient step, the running average of its weights, and a state that survives a kill."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from caption_service.model.speech import Decoder, Tensor
from caption_service.training.batches import Batch
from caption_service.training.losses import overlooked, sentence_losses
from caption_service.training.state import Progress, random_states, restore_state, save_state


@dataclass(frozen=True)
class Recipe:
    """The numbers of a training run."""

    epochs: int = 8
    batch_size: int = 64
    learning_rate: float = 1e-3
    warmup_steps: int = 300
    gradient_norm: float = 5.0
    label_smoothing: float = 0.0
    attention_penalty: float = 1.0
    """Weight of the wish that every cell is looked at once in a sentence (Xu et al., 2015, section 4.2.1); a decoder
    that does not attend has no such wish."""
    averaging_momentum: float = 0.998
    min_word_count: int = 5
    patience: int = 2
    """Epochs without a better score on dev after which the training ends."""
    seed: int = 1


def averaging_momentum(wished: float, *, steps: int) -> float:
    """Return the momentum of the weights' running average for a training of so many steps.

    The average starts at the random weights. A few hundred captions make so few steps that it would still be near
    them at the end; so it never looks back further than a fifth of the training.
    """
    return min(wished, max(0.0, 1.0 - 5.0 / steps))


class Teacher:
    """Owns the optimizer; the decoder's averaged weights are what is evaluated and shipped."""

    def __init__(self, decoder: Decoder, recipe: Recipe, *, steps: int) -> None:
        self.decoder = decoder
        self._recipe = recipe
        warmup_steps = min(recipe.warmup_steps, max(1, steps // 4))
        schedule = keras.optimizers.schedules.CosineDecay(
            0.0,
            decay_steps=max(1, steps - warmup_steps),
            alpha=0.02,
            warmup_target=recipe.learning_rate,
            warmup_steps=warmup_steps,
        )
        self._optimizer = keras.optimizers.Adam(
            schedule,
            global_clipnorm=recipe.gradient_norm,
            use_ema=True,
            ema_momentum=averaging_momentum(recipe.averaging_momentum, steps=steps),
            ema_overwrite_frequency=None,
        )
        self._optimizer.build(decoder.trainable_variables)
        self._step = tf.function(self._gradient_step)

    def step(self, batch: Batch, seen: npt.NDArray[np.float16]) -> float:
        """Learn from one batch and what is seen of its images; return its cross-entropy per word in nats."""
        return float(self._step(tf.constant(seen), tf.constant(batch.said), tf.constant(batch.next_said)))

    def averaged_weights(self) -> list[npt.NDArray[np.float32]]:
        """Return the running average of the decoder's weights, in the order of `decoder.weights`."""
        raw = self.decoder.get_weights()
        self._optimizer.finalize_variable_values(self.decoder.trainable_variables)
        averaged: list[npt.NDArray[np.float32]] = self.decoder.get_weights()
        self.decoder.set_weights(raw)
        return averaged

    def save(self, file: Path, progress: Progress) -> None:
        """Write everything that the next epoch depends on; the old state stays whole until the new one is."""
        save_state(file, self._variables(), progress)

    def restore(self, file: Path) -> Progress:
        """Read what `save` wrote; return its progress."""
        return restore_state(file, self._variables())

    def _variables(self) -> list[keras.Variable]:
        """Return the weights, the optimizer's memory, and where dropout's random numbers stand."""
        return [*self.decoder.weights, *self._optimizer.variables, *random_states(self.decoder)]

    def _gradient_step(self, seen: Tensor, said: Tensor, next_said: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            logits, attention = self.decoder((seen, said), training=True)
            loss, cross_entropy = sentence_losses(logits, next_said, label_smoothing=self._recipe.label_smoothing)
            if attention is not None:
                loss += self._recipe.attention_penalty * overlooked(attention, next_said)
        gradients = tape.gradient(loss, self.decoder.trainable_variables)
        self._optimizer.apply(gradients, self.decoder.trainable_variables)
        return cross_entropy
