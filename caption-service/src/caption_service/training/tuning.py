"""Teach a decoder true sentences on drawn views, and later VGG16's block 5 with it.

Block 5 learns slowly, with a schedule of its own, and may wait for some epochs. Two things keep a decoder from learning
sentences by heart: some of the words that it reads are hidden from it, and block 5 is also asked which words people
would say of the picture at all, whatever their order.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import tensorflow as tf

from caption_service.model.sight import FEATURE_SIZE
from caption_service.model.speech import Decoder, Tensor
from caption_service.model.vocabulary import UNKNOWN_ID
from caption_service.training.averaging import RunningAverage
from caption_service.training.losses import guess_loss, overlooked, seen_as_whole, sentence_losses
from caption_service.training.schedule import warmed_cosine
from caption_service.training.state import random_states
from caption_service.training.tail import Tail
from caption_service.training.view_batches import ViewBatch
from caption_service.training.view_options import number

RATE_FLOOR = 0.02


@dataclass(frozen=True)
class TuningRecipe:
    """The numbers of a tuning."""

    epochs: int = number(5, "times that the data are gone through", least=1)
    images_per_step: int = number(24, "images of a batch", least=1)
    captions_per_image: int = number(3, "captions of each image in a batch", least=1)
    learning_rate: float = number(5e-4, "highest learning rate of the decoder")
    block_5_learning_rate: float = number(1e-4, "the same of VGG16's block 5; 0 leaves the encoder as it is")
    block_5_from_epoch: int = number(1, "first epoch in which block 5 learns", least=1)
    block_5_weight_decay: float = number(1e-4, "how fast block 5's weights shrink")
    warmup_steps: int = number(300, "steps until the highest learning rate")
    gradient_norm: float = number(5.0, "greatest norm of a step's gradient", least=1e-6)
    label_smoothing: float = number(0.1, "share of the truth that is spread over all words", most=1)
    attention_penalty: float = number(1.0, "weight of the wish that each cell is looked at once in a sentence")
    feature_dropout: float = number(0.1, "share of the features that a step hides", most=0.9)
    word_dropout: float = number(0.1, "share of the words read that a step hides", most=0.9)
    word_guess: float = number(0.05, "weight of guessing which words are said of a picture")
    averaging_momentum: float = number(0.998, "share of the averaged weights that a step leaves", most=1)
    min_word_count: int = number(5, "times that an epoch says a new word that is learnt", least=1)
    tokens: int = number(19, "where sentences are cut, their end included", least=2)
    seed: int = number(1, "of all that is random")


class Tuner:
    """Owns the optimizers; the averaged weights are what is evaluated and shipped."""

    measures = ("train_loss",)

    def __init__(self, decoder: Decoder, tail: Tail, recipe: TuningRecipe, *, steps_per_epoch: int) -> None:
        self._decoder, self._tail, self._recipe = decoder, tail, recipe
        self.changes_tail = recipe.block_5_learning_rate > 0
        steps = recipe.epochs * steps_per_epoch
        tail_steps = steps - (recipe.block_5_from_epoch - 1) * steps_per_epoch
        self._optimizer = keras.optimizers.Adam(
            warmed_cosine(recipe.learning_rate, steps=steps, warmup_steps=recipe.warmup_steps, floor=RATE_FLOOR),
            global_clipnorm=recipe.gradient_norm,
        )
        self._tail_optimizer = keras.optimizers.AdamW(
            warmed_cosine(
                recipe.block_5_learning_rate, steps=tail_steps, warmup_steps=recipe.warmup_steps, floor=RATE_FLOOR
            ),
            weight_decay=recipe.block_5_weight_decay,
            global_clipnorm=recipe.gradient_norm,
        )
        self._guess = keras.layers.Dense(decoder.sizes.vocabulary_size, kernel_initializer="zeros")
        self._guess.build((None, 2 * FEATURE_SIZE))
        self._learnt = [*decoder.trainable_variables, *self._guess.trainable_variables]
        self._learnt_tail = tail.trainable_variables if self.changes_tail else []
        self._optimizer.build(self._learnt)
        if self.changes_tail:
            self._tail_optimizer.build(self._learnt_tail)
        self._average = RunningAverage(
            [*decoder.trainable_variables, *self._learnt_tail], momentum=recipe.averaging_momentum
        )
        self._hide = keras.layers.Dropout(recipe.feature_dropout, seed=recipe.seed)
        self._hide_words = keras.layers.Dropout(recipe.word_dropout, seed=recipe.seed + 1)
        self._step = tf.function(self._gradient_step)

    @property
    def variables(self) -> list[keras.Variable]:
        """Return everything that the next epoch depends on."""
        optimized = [*self._optimizer.variables, *(self._tail_optimizer.variables if self.changes_tail else [])]
        random = [*random_states(self._decoder), *random_states(self._hide), *random_states(self._hide_words)]
        learnt = [*self._decoder.weights, *self._guess.weights, *self._tail.weights]
        return [*learnt, *optimized, *self._average.variables, *random]

    def step(self, batch: ViewBatch, *, epoch: int) -> tuple[float, ...]:
        """Learn from one batch; return its cross-entropy per word in nats."""
        with_tail = self.changes_tail and epoch >= self._recipe.block_5_from_epoch
        inputs = (tf.constant(batch.maps), tf.constant(batch.said), tf.constant(batch.next_said))
        return (float(self._step(*inputs, with_tail=with_tail)),)

    def average_into(self, decoder: Decoder, tail: Tail) -> None:
        """Give another decoder and tail the averaged weights; the trained ones stay as they are."""
        tails = tail.trainable_variables if self.changes_tail else []
        for variable, mean in zip([*decoder.trainable_variables, *tails], self._average.values(), strict=True):
            variable.assign(mean)

    def _gradient_step(self, maps: Tensor, said: Tensor, next_said: Tensor, *, with_tail: bool) -> Tensor:
        learnt_tail = self._learnt_tail if with_tail else []
        with tf.GradientTape() as tape:
            seen = self._tail(maps) if with_tail else tf.stop_gradient(self._tail(maps))
            guessed = self._guess(seen_as_whole(seen, rms=self._decoder.sizes.feature_rms))
            seen = tf.repeat(self._hide(seen, training=True), self._recipe.captions_per_image, axis=0)
            logits, attention = self._decoder((seen, self._with_hidden_words(said)), training=True)
            loss, cross_entropy = sentence_losses(logits, next_said, label_smoothing=self._recipe.label_smoothing)
            loss += self._recipe.attention_penalty * overlooked(attention, next_said)
            loss += self._recipe.word_guess * guess_loss(guessed, next_said)
        gradients = tape.gradient(loss, [*self._learnt, *learnt_tail])
        self._optimizer.apply(gradients[: len(self._learnt)], self._learnt)
        if with_tail:
            self._tail_optimizer.apply(gradients[len(self._learnt) :], learnt_tail)
        self._average.follow()
        return cross_entropy

    def _with_hidden_words(self, said: Tensor) -> Tensor:
        """Replace some words, none of the special tokens, by the unknown one."""
        is_kept = self._hide_words(tf.ones_like(said, tf.float32), training=True) > 0
        return tf.where(is_kept | (said <= UNKNOWN_ID), said, UNKNOWN_ID)
