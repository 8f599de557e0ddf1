"""The voice: an LSTM that looks at another part of the picture before each word.

Source: Xu et al., 2015, "Show, Attend and Tell", soft attention (arXiv:1502.03044).
"""

from __future__ import annotations

import keras
from keras import ops

from caption_service.model.decoder_sizes import DecoderSizes
from caption_service.model.speech import Decoder, Memory, State, Tensor


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


class AttentionDecoder(Decoder):
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

    def begin(self, seen: Tensor, *, training: bool = False) -> tuple[Memory, State]:  # noqa: ARG002
        """Scale the feature maps and make the attention's keys.

        Args:
            seen: Feature maps as the encoder gives them, (batch, cells, feature_size).
            training: Changes nothing: the features are not dropped.

        Returns:
            The scaled features and the keys (batch, cells, attention_size), and the first state.
        """
        features = ops.cast(seen, "float32") / self.sizes.feature_rms
        mean = ops.mean(features, axis=1)  # (batch, feature_size)
        return (features, self.look.key(features)), (self.first_hidden(mean), self.first_cell(mean))

    def step(
        self, word_ids: Tensor, state: State, memory: Memory, *, training: bool = False
    ) -> tuple[Tensor, State, Tensor]:
        """Look, then read one word; the thought is (batch, lstm + feature + embedding sizes)."""
        features, keys = memory
        hidden, cell = state
        word = self.drop(self.embedding(word_ids), training=training)  # (batch, embedding_size)
        context, weights = self.look(features, keys, hidden)
        hidden, state = self.lstm(ops.concatenate([word, context], axis=-1), [hidden, cell])
        return ops.concatenate([hidden, context, word], axis=-1), tuple(state), weights


def build_decoder(sizes: DecoderSizes) -> AttentionDecoder:
    """Return a decoder whose weights exist (random), so that others can be loaded into it."""
    decoder = AttentionDecoder(sizes)
    decoder((ops.zeros((1, *sizes.seen_shape)), ops.zeros((1, 1), dtype="int32")))
    return decoder
