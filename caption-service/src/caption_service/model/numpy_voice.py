"""The attention decoder by NumPy and ncnn, and beam search in Python: what serves on a processor, without TensorFlow.

It computes what `decoder` does. Nearly all multiplications are in products with the weights, which ncnn computes: more
than half of the time. They are so small that a second thread saves little, and it disturbs the labels, which are found
meanwhile: whole uploads took longer with it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from caption_service.model.beam import Floats, Ids, Sentence, beam_search
from caption_service.model.decoder_sizes import DecoderSizes
from caption_service.model.decoding import Decoding
from caption_service.model.product import Product


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
        inputs = weights("lstm/kernel", word + feature, 4 * lstm)
        recurrent = weights("lstm/recurrent_kernel", lstm, 4 * lstm)
        speak, speak_bias = dense("speak", lstm + feature + word, word)
        # What the hidden vector is multiplied with, as one product: query, gate, and its share of the LSTM's gates.
        self._from_hidden = Product(np.concatenate([query, gate, recurrent], axis=1))
        self._gate_bias = gate_bias
        self._gates_from_context = Product(inputs[word:])
        self._speak = Product(speak[: lstm + feature])
        self._say = Product(self._words.T, weights("word_bias", sizes.vocabulary_size))
        # What a word adds is the same each time: (words, 4 * lstm_size) and (words, embedding_size).
        self._gates_from_word = self._words @ inputs[:word] + weights("lstm/bias", 4 * lstm)
        self._spoken_from_word = self._words @ speak[lstm + feature :] + speak_bias

    @classmethod
    def read(cls, file: Path, sizes: DecoderSizes) -> NumpyVoice:
        """Read the weights from an npz; raises ValueError as the constructor."""
        with np.load(file, allow_pickle=False) as stored:
            return cls(stored, sizes)

    def find(self, seen: npt.NDArray[np.floating[Any]], decoding: Decoding) -> list[list[list[Sentence]]]:
        """Return what each group of beams finds for each image."""
        pictures, state = self._begin(seen)
        picture_of = np.arange(len(seen))

        def next_words(last: Ids, origin: Ids) -> Floats:
            nonlocal state, picture_of
            picture_of = picture_of[origin]
            grown = State(state.hidden[origin], state.cell[origin])
            state, context, _ = self._step(last, grown, pictures, picture_of)
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
            state, _, weights = self._step(np.array([token_id], np.int32), state, pictures, np.zeros(1, np.intp))
            looks.append(weights[0])
        return np.stack(looks)

    def _begin(self, seen: npt.NDArray[np.floating[Any]]) -> tuple[Pictures, State]:
        features: Floats = seen.astype(np.float32) / np.float32(self.sizes.feature_rms)
        kernel, bias = self._key
        mean = features.mean(axis=1)  # (pictures, feature_size)
        hidden, cell = (np.tanh(mean @ matrix + shift) for matrix, shift in (self._first_hidden, self._first_cell))
        return Pictures(features, features @ kernel + bias), State(hidden, cell)

    def _step(
        self, word_ids: Ids, state: State, pictures: Pictures, picture_of: npt.NDArray[np.intp]
    ) -> tuple[State, Floats, Floats]:
        """Look, then read one word; return the next state, what was seen, and each cell's share of the attention.

        The rows of a picture follow each other.
        """
        attention = self.sizes.attention_size
        sizes = [attention, attention + self.sizes.feature_size]
        query, gate, recurrent = np.split(self._from_hidden(state.hidden), sizes, axis=1)
        weights = np.empty((len(word_ids), pictures.keys.shape[1]), np.float32)
        context = np.empty_like(gate)
        ends = np.searchsorted(picture_of, np.arange(len(pictures.keys)), side="right")
        for picture, (begin, end) in enumerate(itertools.pairwise([0, *ends])):
            heard = pictures.keys[picture] + query[begin:end, None]  # (rows of it, cells, attention_size)
            weights[begin:end] = _softmax(np.tanh(heard, out=heard) @ self._score)
            context[begin:end] = weights[begin:end] @ pictures.features[picture]
        context *= _sigmoid(gate + self._gate_bias)
        gates = self._gates_from_word[word_ids] + self._gates_from_context(context) + recurrent
        keep_in, forget, new, let_out = np.split(gates, 4, axis=1)
        cell = _sigmoid(forget) * state.cell + _sigmoid(keep_in) * np.tanh(new)
        return State(_sigmoid(let_out) * np.tanh(cell), cell), context, weights

    def _logits(self, state: State, context: Floats, word_ids: Ids) -> Floats:
        spoken = self._speak(np.concatenate([state.hidden, context], axis=1))
        return self._say(spoken + self._spoken_from_word[word_ids])


def _sigmoid(values: Floats) -> Floats:
    between: Floats = np.reciprocal(1 + np.exp(-values))
    return between


def _softmax(scores: Floats) -> Floats:
    shares: Floats = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return shares


def _log_softmax(logits: Floats) -> Floats:
    logits -= logits.max(axis=1, keepdims=True)
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return logits
