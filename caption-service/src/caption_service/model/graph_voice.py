"""A decoder of any architecture by TensorFlow: words are searched for in its graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from caption_service.model.beam import Sentence
from caption_service.model.decoding import Decoding
from caption_service.model.graph_beam import search
from caption_service.model.speech import Decoder, Tensor
from caption_service.model.vocabulary import PADDING_ID

USUAL_LENGTH = 20
"""Shorter sentences are filled up to it where attention is told, or each length would need a graph of its own."""


class GraphVoice:
    """Finds words with one decoder; see `speaker.Voice`."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._seen = tf.TensorSpec((None, *decoder.sizes.seen_shape), tf.float32)
        self._searches: dict[Decoding, Any] = {}
        self._attend = tf.function(decoder, reduce_retracing=True)

    def find(self, seen: npt.NDArray[np.floating[Any]], decoding: Decoding) -> list[list[list[Sentence]]]:
        """Return what each group finds for each image; the first use of a decoding takes seconds to trace its graph."""
        if decoding not in self._searches:
            self._searches[decoding] = tf.function(_search_of(self._decoder, decoding), input_signature=[self._seen])
        try:
            found = self._searches[decoding](tf.constant(seen.astype(np.float32)))
        except tf.errors.ResourceExhaustedError as error:
            raise MemoryError(f"{len(seen)} pictures are too many for the decoder's memory") from error
        by_group = [_sentences(each) for each in found]
        return [list(of_groups) for of_groups in zip(*by_group, strict=True)]

    def attend(self, seen: npt.NDArray[np.floating[Any]], said: list[int]) -> npt.NDArray[np.float32] | None:
        """Return where the decoder looks after each word; None where its architecture does not attend."""
        filled = np.full((1, max(len(said), USUAL_LENGTH)), PADDING_ID, np.int32)
        filled[0, : len(said)] = said
        _, attention = self._attend((tf.constant(seen[None].astype(np.float32)), tf.constant(filled)))
        return None if attention is None else np.asarray(attention)[0, : len(said)]


def _search_of(decoder: Decoder, decoding: Decoding) -> Callable[[Tensor], list[tuple[Tensor, ...]]]:
    def find(seen: Tensor) -> list[tuple[Tensor, ...]]:
        found = search(
            decoder, seen, groups=decoding.groups, longest=decoding.longest, length_power=decoding.length_power
        )
        return [(each.token_ids, each.log_probabilities, each.lengths) for each in found]

    return find


def _sentences(found: tuple[Tensor, ...]) -> list[list[Sentence]]:
    """Return the sentences that a group found, for each image."""
    token_ids, log_probabilities, lengths = (part.numpy() for part in found)
    return [
        [
            Sentence(tuple(int(word) for word in words[:length]), float(log_probability))
            for words, log_probability, length in zip(*of_image, strict=True)
            if np.isfinite(log_probability)
        ]
        for of_image in zip(token_ids, log_probabilities, lengths, strict=True)
    ]
