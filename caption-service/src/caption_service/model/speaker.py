"""From what is seen of a picture to sentences: a voice finds them, its vocabulary says them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from caption_service.model.beam import Sentence
from caption_service.model.confidence import Calibration, confidence_of
from caption_service.model.decoding import Decoding, unlike
from caption_service.model.vocabulary import START_ID, Vocabulary


@dataclass(frozen=True)
class Caption:
    """One sentence about an image, and how sure the model is of it, 0 to 1."""

    sentence: str
    confidence: float
    word_log_probability: float


class Voice(Protocol):
    """A decoder and a search, computed by whatever library."""

    def find(self, seen: npt.NDArray[np.floating[Any]], decoding: Decoding) -> list[list[list[Sentence]]]:
        """Return what each group of beams finds for each image, best first.

        Args:
            seen: What the decoder's sight gives: feature maps (images, cells, channels) or vectors (images, numbers).
            decoding: How to search.

        Raises:
            MemoryError: they are too many.
        """

    def attend(self, seen: npt.NDArray[np.floating[Any]], said: list[int]) -> npt.NDArray[np.float32] | None:
        """Return where the decoder looks after each word, (words, cells), or None if its architecture does not attend.

        Args:
            seen: Of one picture, a feature map (cells, channels).
            said: Token ids that begin with the start token's.
        """


class Speaker:
    """Describes what is seen of pictures."""

    def __init__(self, voice: Voice, vocabulary: Vocabulary, calibration: Calibration | None = None) -> None:
        self._voice = voice
        self._vocabulary = vocabulary
        self._calibration = calibration

    def describe(self, seen: npt.NDArray[np.floating[Any]], decoding: Decoding) -> list[list[Caption]]:
        """Return each image's captions: what the plain beam finds best, then what the others find, best first.

        Arguments and errors as of `Voice.find`.
        """
        found = self._voice.find(seen, decoding)
        return [[self._caption(sentence) for sentence in unlike(of_groups, decoding)] for of_groups in found]

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
        attention = self._voice.attend(seen, [START_ID, *token_ids[:-1]])
        if attention is None:
            raise ValueError("this architecture does not attend")
        words = [self._vocabulary.tokens[token_id] for token_id in token_ids]
        return list(zip(words, attention[: len(words)], strict=True))

    def _caption(self, sentence: Sentence) -> Caption:
        words = self._vocabulary.sentence(sentence.token_ids)
        return Caption(words, confidence_of(sentence, self._calibration), sentence.word_log_probability)
