"""From what is seen of a picture to sentences: one decoder of any architecture, and beam search in its graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from caption_service.model.beam import Group, Sentence
from caption_service.model.confidence import Calibration, confidence_of
from caption_service.model.graph_beam import search
from caption_service.model.speech import Decoder, Tensor
from caption_service.model.vocabulary import PADDING_ID, START_ID, Vocabulary

USUAL_LENGTH = 20
"""Shorter sentences are filled up to it where attention is told, or each length would need a graph of its own."""


@dataclass(frozen=True)
class Decoding:
    """How sentences are searched for; chosen on dev and kept with the weights."""

    beams: int = 3
    longest: int = 20
    length_power: float = 0.7
    other_groups: int = 2
    """Groups of beams that look for the same said differently; none changes the best caption."""
    other_beams: int = 2
    diversity: float = 0.5
    """Nats; see `beam.Group`."""

    @property
    def groups(self) -> list[Group]:
        """Return the plain beam, and the others."""
        return [Group(self.beams), *[Group(self.other_beams, self.diversity)] * self.other_groups]

    @property
    def alone(self) -> Decoding:
        """Return the plain beam without the others, which finds the same best caption sooner."""
        return replace(self, other_groups=0)


@dataclass(frozen=True)
class Caption:
    """One sentence about an image, and how sure the model is of it, 0 to 1."""

    sentence: str
    confidence: float
    word_log_probability: float


class Speaker:
    """Finds sentences for what is seen of pictures, with one decoder."""

    def __init__(self, decoder: Decoder, vocabulary: Vocabulary, calibration: Calibration | None = None) -> None:
        self._decoder = decoder
        self._vocabulary = vocabulary
        self._calibration = calibration
        self._seen = tf.TensorSpec((None, *decoder.sizes.seen_shape), tf.float32)
        self._searches: dict[Decoding, Any] = {}
        self._attend = tf.function(decoder, reduce_retracing=True)

    def describe(self, seen: npt.NDArray[np.floating[Any]], decoding: Decoding) -> list[list[Caption]]:
        """Return each image's captions: what the plain beam finds best, then what the others find, best first.

        Args:
            seen: What the decoder's sight gives: feature maps (images, cells, channels) or vectors (images, numbers).
            decoding: How to search; the first use of each takes seconds to trace its graph.
        """
        if decoding not in self._searches:
            self._searches[decoding] = tf.function(_search_of(self._decoder, decoding), input_signature=[self._seen])
        found = self._searches[decoding](tf.constant(seen.astype(np.float32)))
        by_group = [_sentences(each) for each in found]
        of_images = zip(*by_group, strict=True)
        return [[self._caption(sentence) for sentence in unlike(of_groups, decoding)] for of_groups in of_images]

    def attend(self, seen: npt.NDArray[np.floating[Any]], sentence: str) -> list[tuple[str, npt.NDArray[np.float32]]]:
        """Return where the decoder looks before it says each word of a sentence.

        Args:
            seen: Of one picture, a feature map (cells, channels).
            sentence: Words that the decoder knows.

        Returns:
            Each word, and each cell's share of the attention, float32, (cells,); the shares add up to 1.

        Raises:
            ValueError: the architecture does not attend.
        """
        token_ids = self._vocabulary.token_ids(sentence)
        said = np.full((1, max(len(token_ids), USUAL_LENGTH)), PADDING_ID, np.int32)
        said[0, : len(token_ids)] = [START_ID, *token_ids[:-1]]
        _, attention = self._attend((tf.constant(seen[None].astype(np.float32)), tf.constant(said)))
        if attention is None:
            raise ValueError("this architecture does not attend")
        words = [self._vocabulary.tokens[token_id] for token_id in token_ids]
        return list(zip(words, np.asarray(attention)[0, : len(words)], strict=True))

    def _caption(self, sentence: Sentence) -> Caption:
        words = self._vocabulary.sentence(sentence.token_ids)
        return Caption(words, confidence_of(sentence, self._calibration), sentence.word_log_probability)


def unlike(groups: Sequence[Sequence[Sentence]], decoding: Decoding) -> list[Sentence]:
    """Return the plain beam's best sentence, then one of each other group, best first; no two are equal.

    Of each other group the best one is taken that differs from those before in more than one word; where there is
    none, the best one that differs at all.
    """
    first, *others = groups
    chosen = [first[0]]
    for group in others:
        new = [each for each in group if all(each.token_ids != one.token_ids for one in chosen)]
        other_words = (each for each in new if all(_differing_words(each, one) > 1 for one in chosen))
        if new:
            chosen.append(next(other_words, new[0]))
    return [chosen[0], *sorted(chosen[1:], key=lambda sentence: -sentence.score(decoding.length_power))]


def _differing_words(one: Sentence, other: Sentence) -> int:
    """Return how many words the longer sentence has that the other has not, each as often as it is said."""
    ours, theirs = list(one.token_ids), list(other.token_ids)
    common = sum(min(ours.count(word), theirs.count(word)) for word in set(ours))
    return max(len(ours), len(theirs)) - common


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
