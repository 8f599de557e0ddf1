"""A simpler voice: an LSTM that reads words only; the picture joins where the next word is chosen.

The picture is one vector. It is projected to the LSTM's size and added to the LSTM's state, so the LSTM itself never
sees it.

Source: Tanti, Gatt and Camilleri, 2018, "Where to put the image in an image caption generator", the "merge"
architecture with addition (arXiv:1703.09137).
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import ops

from caption_service.model.sight import VECTOR_SIZE
from caption_service.model.speech import Decoder, Memory, State, Tensor


@dataclass(frozen=True)
class MergeSizes:
    """What must be known to build a merge decoder before its weights can be loaded."""

    vocabulary_size: int
    sight: str
    """`regions` or `fc2`: which image vector the decoder was trained on."""
    feature_rms: float
    """Root mean square of the training images' vectors; vectors are divided by it."""
    vector_size: int = VECTOR_SIZE
    embedding_size: int = 256
    lstm_size: int = 256
    dropout: float = 0.5

    @property
    def seen_shape(self) -> tuple[int, ...]:
        """Return the shape of an image vector."""
        return (self.vector_size,)


class MergeDecoder(Decoder):
    """Turns an image vector and the words so far into logits for the next word."""

    def __init__(self, sizes: MergeSizes) -> None:
        super().__init__(name="merge_decoder")
        self.sizes = sizes
        self.embedding = keras.layers.Embedding(
            sizes.vocabulary_size,
            sizes.embedding_size,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=0.1),
            name="embedding",
        )
        self.picture = keras.layers.Dense(sizes.lstm_size, activation="relu", name="picture")
        self.lstm = keras.layers.LSTMCell(sizes.lstm_size, name="lstm")
        self.speak = keras.layers.Dense(sizes.embedding_size, name="speak")
        self.drop = keras.layers.Dropout(sizes.dropout, name="drop")
        self.word_bias = self.add_weight(shape=(sizes.vocabulary_size,), initializer="zeros", name="word_bias")

    def begin(self, seen: Tensor, *, training: bool = False) -> tuple[Memory, State]:
        """Project the image vectors (batch, vector_size) to the LSTM's size; the LSTM starts from zeros."""
        vector = self.drop(ops.cast(seen, "float32") / self.sizes.feature_rms, training=training)
        picture = self.picture(vector)  # (batch, lstm_size)
        nothing = ops.zeros_like(picture)
        return (picture,), (nothing, nothing)

    def step(
        self, word_ids: Tensor, state: State, memory: Memory, *, training: bool = False
    ) -> tuple[Tensor, State, None]:
        """Read one word, then add the picture; the thought is (batch, lstm_size)."""
        word = self.drop(self.embedding(word_ids), training=training)  # (batch, embedding_size)
        hidden, state = self.lstm(word, list(state))
        return hidden + memory[0], tuple(state), None


def build_merge_decoder(sizes: MergeSizes) -> MergeDecoder:
    """Return a decoder whose weights exist (random), so that others can be loaded into it."""
    decoder = MergeDecoder(sizes)
    decoder((ops.zeros((1, *sizes.seen_shape)), ops.zeros((1, 1), dtype="int32")))
    return decoder
