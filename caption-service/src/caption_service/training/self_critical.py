"""Teach a decoder by the reward of sentences that it says itself.

Cross-entropy asks for the very words of one person; CIDEr-D asks how much a whole sentence has in common with what
several said. A sampled sentence is made likelier by what it earns above the mean of its picture's other samples. A
share of cross-entropy keeps the sentences well-formed.

Source: Rennie et al., 2017 (arXiv:1612.00563); the leave-one-out baseline: Luo, 2020 (arXiv:2003.09971).
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from caption_service.model.speech import Decoder, Tensor
from caption_service.model.vocabulary import END_ID, PADDING_ID, START_ID, UNKNOWN_ID
from caption_service.training.averaging import RunningAverage
from caption_service.training.batches import Ids
from caption_service.training.cider_d import CiderD
from caption_service.training.losses import is_word, sentence_losses
from caption_service.training.schedule import warmed_cosine
from caption_service.training.state import random_states
from caption_service.training.tail import Tail
from caption_service.training.view_batches import Sentences, ViewBatch
from caption_service.training.view_options import number

RATE_FLOOR = 0.05
NEVER_SAID = (PADDING_ID, START_ID, UNKNOWN_ID)
IMPOSSIBLE = -1e9
"""Added to a logit, it makes a word unsayable."""

Rewards = npt.NDArray[np.float32]


@dataclass(frozen=True)
class RewardRecipe:
    """The numbers of a self-critical training."""

    epochs: int = number(8, "times that the data are gone through", least=1)
    images_per_step: int = number(24, "images of a batch", least=1)
    samples_per_image: int = number(5, "sentences that are tried for each image", least=2)
    learning_rate: float = number(1e-4, "highest learning rate")
    cross_entropy_share: float = number(0.2, "weight of the true sentences beside the reward")
    warmup_steps: int = number(100, "steps until the highest learning rate")
    gradient_norm: float = number(1.0, "greatest norm of a step's gradient", least=1e-6)
    feature_dropout: float = number(0.1, "share of the features that a step hides", most=0.9)
    averaging_momentum: float = number(0.998, "share of the averaged weights that a step leaves", most=1)
    tokens: int = number(18, "where sentences are cut, their end included", least=2)
    seed: int = number(1, "of all that is random")


class SelfCritic:
    """Owns the optimizer and the reward; block 5 stays as it is."""

    measures = ("train_reward", "train_loss")
    changes_tail = False

    def __init__(
        self, decoder: Decoder, tail: Tail, recipe: RewardRecipe, *, references: list[Sentences], steps_per_epoch: int
    ) -> None:
        self._decoder, self._tail, self._recipe = decoder, tail, recipe
        self._reward = CiderD([[[*sentence, END_ID] for sentence in several] for several in references])
        self._optimizer = keras.optimizers.Adam(
            warmed_cosine(
                recipe.learning_rate,
                steps=recipe.epochs * steps_per_epoch,
                warmup_steps=recipe.warmup_steps,
                floor=RATE_FLOOR,
            ),
            global_clipnorm=recipe.gradient_norm,
        )
        self._optimizer.build(decoder.trainable_variables)
        self._average = RunningAverage(decoder.trainable_variables, momentum=recipe.averaging_momentum)
        self._hide = keras.layers.Dropout(recipe.feature_dropout, seed=recipe.seed)
        self._chance = keras.random.SeedGenerator(recipe.seed)
        self._see = tf.function(tail.__call__)
        self._sample = tf.function(self._sampled)
        self._learn = tf.function(self._gradient_step)

    @property
    def variables(self) -> list[keras.Variable]:
        """Return everything that the next epoch depends on."""
        random = [*random_states(self._decoder), *random_states(self._hide), self._chance.state]
        return [*self._decoder.weights, *self._optimizer.variables, *self._average.variables, *random]

    def step(self, batch: ViewBatch, *, epoch: int) -> tuple[float, ...]:  # noqa: ARG002
        """Learn from one batch of one true caption a picture.

        Returns:
            The samples' mean CIDEr-D, and the true captions' cross-entropy per word in nats.
        """
        seen = self._see(tf.constant(batch.maps))
        sampled = self._sample(seen).numpy()
        rewards = self._rewards(batch.pictures, sampled)
        said = np.concatenate([before(sampled), batch.said])
        next_said = np.concatenate([sampled, batch.next_said])
        advantages = tf.constant(above_the_others(rewards).reshape(-1))
        cross_entropy = self._learn(seen, tf.constant(said), tf.constant(next_said), advantages)
        return float(rewards.mean()), float(cross_entropy)

    def average_into(self, decoder: Decoder, _tail: Tail) -> None:
        """Give another decoder the averaged weights; the trained ones stay as they are."""
        for variable, mean in zip(decoder.trainable_variables, self._average.values(), strict=True):
            variable.assign(mean)

    def _rewards(self, pictures: npt.NDArray[np.int64], sampled: Ids) -> Rewards:
        """Return CIDEr-D of each sample, (pictures, samples)."""
        by_picture = sampled.reshape(len(pictures), self._recipe.samples_per_image, -1)
        scores = [
            [self._reward.score(int(picture), row[row != PADDING_ID].tolist()) for row in rows]
            for picture, rows in zip(pictures, by_picture, strict=True)
        ]
        return np.array(scores, np.float32)

    def _sampled(self, seen: Tensor) -> Tensor:
        """Draw each word as likely as the decoder finds it, (pictures * samples, tokens), the end included."""
        seen = tf.repeat(seen, self._recipe.samples_per_image, axis=0)
        memory, state = self._decoder.begin(seen)
        word = tf.fill([tf.shape(seen)[0]], START_ID)
        ended = tf.zeros_like(word, tf.bool)
        forbidden = IMPOSSIBLE * tf.reduce_sum(tf.one_hot(NEVER_SAID, self._decoder.sizes.vocabulary_size), axis=0)
        words = []
        for _ in range(self._recipe.tokens):
            thought, state, _ = self._decoder.step(word, state, memory)
            scores = self._decoder.logits(thought) + forbidden  # (pictures * samples, vocabulary)
            drawn = keras.random.categorical(scores, 1, dtype="int32", seed=self._chance)[:, 0]
            word = tf.where(ended, PADDING_ID, drawn)
            ended = ended | (word == END_ID)
            words.append(word)
        return tf.stack(words, axis=1)

    def _gradient_step(self, seen: Tensor, said: Tensor, next_said: Tensor, advantages: Tensor) -> Tensor:
        """Learn from the samples, which come first, and the true captions, in one pass through the decoder."""
        samples = advantages.shape[0]
        with tf.GradientTape() as tape:
            hidden = self._hide(seen, training=True)
            both = tf.concat([tf.repeat(hidden, self._recipe.samples_per_image, axis=0), hidden], axis=0)
            logits, _ = self._decoder((both, said), training=True)
            counts = is_word(next_said[:samples])
            likelihoods = tf.gather(tf.nn.log_softmax(logits[:samples]), next_said[:samples], batch_dims=2) * counts
            regret = -tf.reduce_sum(likelihoods * advantages[:, None]) / tf.reduce_sum(counts)
            _, cross_entropy = sentence_losses(logits[samples:], next_said[samples:], label_smoothing=0.0)
            loss = regret + self._recipe.cross_entropy_share * cross_entropy
        learnt = self._decoder.trainable_variables
        self._optimizer.apply(tape.gradient(loss, learnt), learnt)
        self._average.follow()
        return cross_entropy


def above_the_others(rewards: Rewards) -> Rewards:
    """Return how much each sample earned above the mean of its picture's other samples, (pictures, samples)."""
    others = (rewards.sum(axis=1, keepdims=True) - rewards) / (rewards.shape[1] - 1)
    above: Rewards = rewards - others
    return above


def before(next_said: Ids) -> Ids:
    """Return the words that a decoder reads to say these: the start token, and each word but the last and the end."""
    said = np.full_like(next_said, PADDING_ID)
    said[:, 0] = START_ID
    said[:, 1:] = np.where(next_said[:, :-1] == END_ID, PADDING_ID, next_said[:, :-1])
    return said
