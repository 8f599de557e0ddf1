"""What every decoder offers: beam search and training run all architectures through this one interface.

A decoder begins with what is seen of a picture and then reads one word at a time. What stays the same from word to
word is its memory; what each word changes is its state.
"""

from __future__ import annotations

from typing import Any, Protocol

import keras
from keras import ops

Tensor = Any
"""A tensor of the Keras backend."""

State = tuple[Tensor, Tensor]
"""The LSTM's hidden and cell vector, each (batch, lstm_size)."""

Memory = tuple[Tensor, ...]
"""What a decoder keeps of the picture, each (batch, ...)."""


class Sizes(Protocol):
    """What must be known to build a decoder before its weights can be loaded; a frozen dataclass."""

    @property
    def vocabulary_size(self) -> int:
        """Words and special tokens."""

    @property
    def sight(self) -> str:
        """What of a picture the decoder is given, a name of `model.sight.SIGHTS`."""

    @property
    def seen_shape(self) -> tuple[int, ...]:
        """Shape of that for one picture."""


class Decoder(keras.Model):
    """Turns what is seen and the words so far into logits for the next word.

    A subclass sets `sizes` and the layers `embedding`, `speak`, `drop` and `word_bias`, and says how it begins and
    how it steps. The output layer shares its matrix with the word embedding (Press and Wolf, 2017, arXiv:1608.05859).
    """

    sizes: Any

    def begin(self, seen: Tensor, *, training: bool = False) -> tuple[Memory, State]:
        """Prepare what every step needs.

        Args:
            seen: What the decoder's sight gives, (batch, *sizes.seen_shape).
            training: Whether dropout acts.

        Returns:
            The memory of the picture, and the first state.
        """
        raise NotImplementedError

    def step(
        self, word_ids: Tensor, state: State, memory: Memory, *, training: bool = False
    ) -> tuple[Tensor, State, Tensor | None]:
        """Read one word and return what is to be said after it.

        Args:
            word_ids: The words before, int, (batch,).
            state: The LSTM's state.
            memory: From `begin`.
            training: Whether dropout acts.

        Returns:
            The thought that `logits` turns into words, the next state, and each cell's share of the attention
            (batch, cells), or None where a decoder does not attend.
        """
        raise NotImplementedError

    def word_directions(self) -> Tensor:
        """Return the output layer's matrix, (embedding_size, vocabulary_size); whoever scores often keeps it."""
        return ops.transpose(self.embedding.embeddings)

    def logits(self, thought: Tensor, *, directions: Tensor | None = None, training: bool = False) -> Tensor:
        """Score every word of the vocabulary, (..., vocabulary_size), by `word_directions` if they are at hand."""
        direction = self.drop(self.speak(self.drop(thought, training=training)), training=training)
        matrix = self.word_directions() if directions is None else directions
        return ops.matmul(direction, matrix) + self.word_bias

    def call(self, inputs: tuple[Tensor, Tensor], training: bool = False) -> tuple[Tensor, Tensor | None]:
        """Score whole sentences, the right word given before each next one (teacher forcing).

        Args:
            inputs: What is seen (batch, *sizes.seen_shape), and word ids that begin with the start token,
                (batch, time).
            training: Whether dropout acts.

        Returns:
            Logits (batch, time, vocabulary_size), and attention weights (batch, time, cells) or None.
        """
        seen, word_ids = inputs
        memory, state = self.begin(seen, training=training)
        thoughts, looks = [], []
        for time in range(word_ids.shape[1]):
            thought, state, weights = self.step(word_ids[:, time], state, memory, training=training)
            thoughts.append(thought)
            looks.append(weights)
        attended = None if looks[0] is None else ops.stack(looks, axis=1)
        return self.logits(ops.stack(thoughts, axis=1), training=training), attended
