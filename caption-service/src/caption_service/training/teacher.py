"""Teach a decoder: one gradient step, the running average of its weights, and a state that survives a kill."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from caption_service.model.decoder import AttentionDecoder, Tensor
from caption_service.model.vocabulary import PADDING_ID
from caption_service.training.batches import Batch


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
    """Weight of the wish that every cell is looked at once in a sentence (Xu et al., 2015, section 4.2.1)."""
    averaging_momentum: float = 0.998
    min_word_count: int = 5
    patience: int = 2
    """Epochs without a better score on dev after which the training ends."""
    seed: int = 1


class Teacher:
    """Owns the optimizer; the decoder's averaged weights are what is evaluated and shipped."""

    def __init__(self, decoder: AttentionDecoder, recipe: Recipe, *, steps: int) -> None:
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
            ema_momentum=recipe.averaging_momentum,
            ema_overwrite_frequency=None,
        )
        self._optimizer.build(decoder.trainable_variables)
        self._step = tf.function(self._gradient_step)

    def step(self, batch: Batch, maps: npt.NDArray[np.float16]) -> float:
        """Learn from one batch; return its cross-entropy per word in nats."""
        return float(self._step(tf.constant(maps), tf.constant(batch.said), tf.constant(batch.next_said)))

    def averaged_weights(self) -> list[npt.NDArray[np.float32]]:
        """Return the running average of the decoder's weights, in the order of `decoder.weights`."""
        raw = self.decoder.get_weights()
        self._optimizer.finalize_variable_values(self.decoder.trainable_variables)
        averaged: list[npt.NDArray[np.float32]] = self.decoder.get_weights()
        self.decoder.set_weights(raw)
        return averaged

    def save(self, file: Path, progress: dict[str, float]) -> None:
        """Write everything that the next epoch depends on; the old state stays whole until the new one is."""
        arrays: dict[str, Any] = {
            f"variable_{at}": np.asarray(variable) for at, variable in enumerate(self._variables())
        }
        unfinished = file.with_suffix(".part.npz")
        np.savez(unfinished, progress=np.array(json.dumps(progress)), **arrays)
        unfinished.replace(file)

    def restore(self, file: Path) -> dict[str, float]:
        """Read what `save` wrote; return its progress."""
        with np.load(file, allow_pickle=False) as stored:
            for at, variable in enumerate(self._variables()):
                variable.assign(stored[f"variable_{at}"])
            progress: dict[str, float] = json.loads(str(stored["progress"]))
        return progress

    def _variables(self) -> list[keras.Variable]:
        return [*self.decoder.weights, *self._optimizer.variables]

    def _gradient_step(self, maps: Tensor, said: Tensor, next_said: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            logits, weights = self.decoder((maps, said), training=True)
            is_word = tf.cast(next_said != PADDING_ID, tf.float32)  # (batch, time)
            losses, cross_entropy = self._losses(logits, next_said, is_word)
            looks = tf.reduce_sum(weights * is_word[:, :, None], axis=1)  # (batch, cells)
            penalty = tf.reduce_mean(tf.square(1.0 - looks))
            loss = losses + self._recipe.attention_penalty * penalty
        gradients = tape.gradient(loss, self.decoder.trainable_variables)
        self._optimizer.apply(gradients, self.decoder.trainable_variables)
        return cross_entropy

    def _losses(self, logits: Tensor, next_said: Tensor, is_word: Tensor) -> tuple[Tensor, Tensor]:
        """Return the smoothed loss and the plain cross-entropy, both a mean over words."""
        words = tf.reduce_sum(is_word)
        log_probabilities = tf.nn.log_softmax(logits)
        of_truth = tf.gather(log_probabilities, next_said, batch_dims=2)
        cross_entropy = -tf.reduce_sum(of_truth * is_word) / words
        of_all = -tf.reduce_sum(tf.reduce_mean(log_probabilities, axis=-1) * is_word) / words
        smoothing = self._recipe.label_smoothing
        return (1 - smoothing) * cross_entropy + smoothing * of_all, cross_entropy
