"""The attention decoder by NumPy and ncnn, and beam search in Python: what serves on a processor, without TensorFlow.

It computes what `decoder` does. Nearly all multiplications are in products with the weights, which ncnn computes on all
cores: half of the time. A quarter is the search.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from caption_service.model.beam import Floats, Ids, Sentence, beam_search
from caption_service.model.decoder_sizes import DecoderSizes
from caption_service.model.decoding import Decoding
from shared.convolution_network import Layers, Network


@dataclass(frozen=True)
class Pictures:
    """What a decoder keeps of pictures while it describes them."""

    features: Floats
    """Scaled, (pictures, cells, feature_size)."""
    keys: Floats
    """(pictures, cells, attention_size)."""


@dataclass(frozen=True)
class State:
    """The LSTM's vectors of each row, (rows, lstm_size)."""

    hidden: Floats
    cell: Floats


class NumpyVoice:
    """Finds words with the attention decoder; see `speaker.Voice`. Several threads may call it at a time."""

    def __init__(self, stored: Mapping[str, npt.NDArray[Any]], sizes: DecoderSizes) -> None:
        """Take the weights.

        Args:
            stored: As `saving.save_captioner` writes them.
            sizes: The decoder's.

        Raises:
            ValueError: one is missing or has another shape.
        """

        def weights(name: str, *shape: int) -> Floats:
            if name not in stored or stored[name].shape != shape:
                raise ValueError(f"it has no {name} of the shape that its manifest tells")
            return stored[name].astype(np.float32)

        def dense(name: str, before: int, after: int) -> tuple[Floats, Floats]:
            return weights(f"{name}/kernel", before, after), weights(f"{name}/bias", after)

        feature, lstm, word, attention = (
            sizes.feature_size, sizes.lstm_size, sizes.embedding_size, sizes.attention_size,
        )  # fmt: skip
        self.sizes = sizes
        self._words = weights("embedding/embeddings", sizes.vocabulary_size, word)
        self._key = dense("key", feature, attention)
        self._first_hidden = dense("first_hidden", feature, lstm)
        self._first_cell = dense("first_cell", feature, lstm)
        self._score = weights("look/score/kernel", attention, 1)[:, 0]
        gate, gate_bias = dense("look/gate", lstm, feature)
        query = weights("look/query/kernel", lstm, attention)
        # Both read the hidden vector, so that they are one product.
        self._look = _product(
            np.concatenate([query, gate], axis=1), np.concatenate([np.zeros(attention, np.float32), gate_bias])
        )
        inputs = weights("lstm/kernel", word + feature, 4 * lstm)
        recurrent = weights("lstm/recurrent_kernel", lstm, 4 * lstm)
        self._lstm = _product(np.concatenate([inputs, recurrent]), weights("lstm/bias", 4 * lstm))
        speak = dense("speak", lstm + feature + word, word)
        layers = Layers()
        layers.dense("speak", *speak)
        layers.dense("words", self._words.T, weights("word_bias", sizes.vocabulary_size))
        self._say = layers.network("words")

    @classmethod
    def read(cls, file: Path, sizes: DecoderSizes) -> NumpyVoice:
        """Read the weights from an npz; raises ValueError as the constructor."""
        with np.load(file, allow_pickle=False) as stored:
            return cls(stored, sizes)

    def find(self, seen: npt.NDArray[np.floating[Any]], decoding: Decoding) -> list[list[list[Sentence]]]:
        """Return what each group of beams finds for each image."""
        pictures, state = self._begin(seen)
        rows = sum(group.beams for group in decoding.groups)
        state = State(state.hidden.repeat(rows, axis=0), state.cell.repeat(rows, axis=0))

        def next_words(last: Ids, origin: Ids) -> Floats:
            nonlocal state
            state, context, _ = self._step(last, State(state.hidden[origin], state.cell[origin]), pictures)
            return _log_softmax(self._logits(state, context, last))

        return beam_search(
            next_words,
            images=len(seen),
            groups=decoding.groups,
            longest=decoding.longest,
            length_power=decoding.length_power,
        )

    def attend(self, seen: npt.NDArray[np.floating[Any]], said: list[int]) -> npt.NDArray[np.float32]:
        """Return where the decoder looks after each word, (words, cells)."""
        pictures, state = self._begin(seen[None])
        looks = []
        for token_id in said:
            state, _, weights = self._step(np.array([token_id], np.int32), state, pictures)
            looks.append(weights[0])
        return np.stack(looks)

    def _begin(self, seen: npt.NDArray[np.floating[Any]]) -> tuple[Pictures, State]:
        features: Floats = seen.astype(np.float32) / np.float32(self.sizes.feature_rms)
        kernel, bias = self._key
        mean = features.mean(axis=1)  # (pictures, feature_size)
        hidden, cell = (np.tanh(mean @ matrix + shift) for matrix, shift in (self._first_hidden, self._first_cell))
        return Pictures(features, features @ kernel + bias), State(hidden, cell)

    def _step(self, word_ids: Ids, state: State, pictures: Pictures) -> tuple[State, Floats, Floats]:
        """Look, then read one word; return the next state, what was seen, and each cell's share of the attention.

        The rows of a picture, as many for each, follow each other.
        """
        count, cells = pictures.keys.shape[:2]
        attention = self.sizes.attention_size
        looked = self._look.maps(state.hidden)[0]  # (rows, attention_size + feature_size)
        query = looked[:, :attention].reshape(count, -1, 1, attention)
        scores = np.tanh(pictures.keys[:, None] + query) @ self._score  # (pictures, rows of each, cells)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        context = (weights @ pictures.features).reshape(len(word_ids), -1) * _sigmoid(looked[:, attention:])
        read = np.concatenate([self._words[word_ids], context, state.hidden], axis=1)
        keep_in, forget, new, let_out = np.split(self._lstm.maps(read)[0], 4, axis=1)
        cell = _sigmoid(forget) * state.cell + _sigmoid(keep_in) * np.tanh(new)
        return State(_sigmoid(let_out) * np.tanh(cell), cell), context, weights.reshape(-1, cells)

    def _logits(self, state: State, context: Floats, word_ids: Ids) -> Floats:
        thought = np.concatenate([state.hidden, context, self._words[word_ids]], axis=1)
        return self._say.maps(thought)[0]


def _product(kernel: Floats, bias: Floats) -> Network:
    layers = Layers()
    layers.dense("product", kernel, bias)
    return layers.network("product")


def _sigmoid(values: Floats) -> Floats:
    between: Floats = np.reciprocal(1 + np.exp(-values))
    return between


def _log_softmax(logits: Floats) -> Floats:
    shifted: Floats = logits - logits.max(axis=1, keepdims=True)
    probable: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return probable
