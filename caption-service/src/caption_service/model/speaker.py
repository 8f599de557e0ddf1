"""From what is seen of a picture to sentences: one decoder of any architecture, and beam search."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from caption_service.model.beam import Floats, Ids, Sentence, beam_search
from caption_service.model.speech import Decoder, Memory, State, Tensor
from caption_service.model.vocabulary import Vocabulary


@dataclass(frozen=True)
class Decoding:
    """How sentences are searched for; chosen on dev and kept with the weights."""

    beams: int = 3
    longest: int = 20
    length_power: float = 0.7


@dataclass(frozen=True)
class Caption:
    """One sentence about an image, and the geometric mean of its words' probabilities."""

    sentence: str
    confidence: float


class Speaker:
    """Finds sentences for what is seen of pictures, with one decoder."""

    def __init__(self, decoder: Decoder, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        seen = tf.TensorSpec((None, *decoder.sizes.seen_shape), tf.float32)
        self._begin = tf.function(decoder.begin, input_signature=[seen])
        self._next = tf.function(_next_words_of(decoder), reduce_retracing=True)

    def describe(self, seen: npt.NDArray[np.floating[Any]], decoding: Decoding) -> list[list[Caption]]:
        """Return each image's captions, best first; no two say the same.

        Args:
            seen: What the decoder's sight gives: feature maps (images, cells, channels) or vectors (images, numbers).
            decoding: How to search.
        """
        memory, state = self._begin(tf.constant(np.repeat(seen.astype(np.float32), decoding.beams, axis=0)))

        def next_words(last: Ids, origin: Ids) -> Floats:
            nonlocal state
            log_probabilities, state = self._next(tf.constant(last), tf.constant(origin), state, memory)
            scores: Floats = log_probabilities.numpy()
            return scores

        found = beam_search(next_words, images=len(seen), **asdict(decoding))
        return [[self._caption(sentence) for sentence in sentences] for sentences in found]

    def _caption(self, sentence: Sentence) -> Caption:
        return Caption(self._vocabulary.sentence(sentence.token_ids), sentence.word_probability)


def _next_words_of(decoder: Decoder):  # type: ignore[no-untyped-def]  # TensorFlow carries no types
    def next_words(last: Tensor, origin: Tensor, state: State, memory: Memory) -> tuple[Tensor, State]:
        grown = (tf.gather(state[0], origin), tf.gather(state[1], origin))
        thought, next_state, _ = decoder.step(last, grown, memory)
        return tf.nn.log_softmax(decoder.logits(thought)), next_state

    return next_words
