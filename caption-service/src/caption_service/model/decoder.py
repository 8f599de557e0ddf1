"""The voice: an LSTM that looks at another part of the picture before each word.

Source: Xu et al., 2015, "Show, Attend and Tell", soft attention (arXiv:1502.03044). The output layer shares its matrix
with the word embedding (Press and Wolf, 2017, arXiv:1608.05859).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

Tensor = Any
"""A tensor of the Keras backend."""

State = tuple[Tensor, Tensor]
"""The LSTM's hidden and cell vector, each (batch, lstm_size)."""


@dataclass(frozen=True)
class DecoderSizes:
    """What must be known to build a decoder before its weights can be loaded."""

    vocabulary_size: int
    grid_side: int
    feature_rms: float
    """Root mean square of the training images' features; maps are divided by it."""
    feature_size: int = 512
    embedding_size: int = 256
    lstm_size: int = 512
    attention_size: int = 256
    dropout: float = 0.5


class Look(keras.layers.Layer):
    """Additive attention over the cells of a feature map, gated (Xu et al., sections 4.2 and 4.2.1)."""

    def __init__(self, attention_size: int, feature_size: int) -> None:
        super().__init__(name="look")
        self.key = keras.layers.Dense(attention_size, name="key")
        self.query = keras.layers.Dense(attention_size, use_bias=False, name="query")
        self.score = keras.layers.Dense(1, use_bias=False, name="score")
        self.gate = keras.layers.Dense(feature_size, activation="sigmoid", name="gate")

    def call(self, features: Tensor, keys: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Return what is seen now, (batch, feature_size), and each cell's share of it, (batch, cells)."""
        query = ops.expand_dims(self.query(hidden), 1)  # (batch, 1, attention_size)
        scores = ops.squeeze(self.score(ops.tanh(keys + query)), -1)  # (batch, cells)
        weights = ops.softmax(scores, axis=-1)
        context = ops.squeeze(ops.matmul(ops.expand_dims(weights, 1), features), 1)  # (batch, feature_size)
        return self.gate(hidden) * context, weights


class AttentionDecoder(keras.Model):
    """Turns a feature map and the words so far into logits for the next word."""

    def __init__(self, sizes: DecoderSizes) -> None:
        super().__init__(name="attention_decoder")
        self.sizes = sizes
        self.embedding = keras.layers.Embedding(
            sizes.vocabulary_size,
            sizes.embedding_size,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=0.1),
            name="embedding",
        )
        self.first_hidden = keras.layers.Dense(sizes.lstm_size, activation="tanh", name="first_hidden")
        self.first_cell = keras.layers.Dense(sizes.lstm_size, activation="tanh", name="first_cell")
        self.look = Look(sizes.attention_size, sizes.feature_size)
        self.lstm = keras.layers.LSTMCell(sizes.lstm_size, name="lstm")
        self.speak = keras.layers.Dense(sizes.embedding_size, name="speak")
        self.drop = keras.layers.Dropout(sizes.dropout, name="drop")
        self.word_bias = self.add_weight(shape=(sizes.vocabulary_size,), initializer="zeros", name="word_bias")

    def begin(self, maps: Tensor) -> tuple[Tensor, Tensor, State]:
        """Prepare what every step needs.

        Args:
            maps: Feature maps as the encoder gives them, (batch, cells, feature_size).

        Returns:
            The scaled features, the attention's keys (batch, cells, attention_size), and the first state.
        """
        features = ops.cast(maps, "float32") / self.sizes.feature_rms
        mean = ops.mean(features, axis=1)  # (batch, feature_size)
        return features, self.look.key(features), (self.first_hidden(mean), self.first_cell(mean))

    def step(
        self, word_ids: Tensor, state: State, features: Tensor, keys: Tensor, *, training: bool = False
    ) -> tuple[Tensor, State, Tensor]:
        """Read one word and return what is to be said after it.

        Args:
            word_ids: The words before, int, (batch,).
            state: The LSTM's state.
            features: From `begin`.
            keys: From `begin`.
            training: Whether dropout acts.

        Returns:
            The thought that `logits` turns into words (batch, lstm + feature + embedding sizes), the next state, and
            the attention weights (batch, cells).
        """
        hidden, cell = state
        word = self.drop(self.embedding(word_ids), training=training)  # (batch, embedding_size)
        context, weights = self.look(features, keys, hidden)
        hidden, state = self.lstm(ops.concatenate([word, context], axis=-1), [hidden, cell])
        return ops.concatenate([hidden, context, word], axis=-1), tuple(state), weights

    def logits(self, thought: Tensor, *, training: bool = False) -> Tensor:
        """Score every word of the vocabulary, (..., vocabulary_size)."""
        direction = self.drop(self.speak(self.drop(thought, training=training)), training=training)
        return ops.matmul(direction, ops.transpose(self.embedding.embeddings)) + self.word_bias

    def call(self, inputs: tuple[Tensor, Tensor], training: bool = False) -> tuple[Tensor, Tensor]:
        """Score whole sentences, the right word given before each next one (teacher forcing).

        Args:
            inputs: Feature maps (batch, cells, feature_size), and word ids that begin with the start token,
                (batch, time).
            training: Whether dropout acts.

        Returns:
            Logits (batch, time, vocabulary_size) and attention weights (batch, time, cells).
        """
        maps, word_ids = inputs
        features, keys, state = self.begin(maps)
        thoughts, looks = [], []
        for time in range(word_ids.shape[1]):
            thought, state, weights = self.step(word_ids[:, time], state, features, keys, training=training)
            thoughts.append(thought)
            looks.append(weights)
        return self.logits(ops.stack(thoughts, axis=1), training=training), ops.stack(looks, axis=1)


def build_decoder(sizes: DecoderSizes) -> AttentionDecoder:
    """Return a decoder whose weights exist (random), so that others can be loaded into it."""
    decoder = AttentionDecoder(sizes)
    maps = ops.zeros((1, sizes.grid_side**2, sizes.feature_size))
    decoder((maps, ops.zeros((1, 1), dtype="int32")))
    return decoder
