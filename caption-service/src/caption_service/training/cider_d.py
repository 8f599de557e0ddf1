"""CIDEr-D, the reward of self-critical training: how much a sentence has in common with what people said.

pycocoevalcap scores whole files of sentences; a training scores a hundred sampled ones a step, on token ids, against
references that never change. So the references' vectors are made once here. A test compares both.

Source: Vedantam et al., 2015 (arXiv:1411.5726), section 6, CIDEr-D.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_NGRAM = 4
LENGTH_SIGMA = 6.0
"""Words; how forgiving the score is to a sentence of another length."""

TokenIds = Sequence[int]
Ngram = tuple[int, ...]


@dataclass(frozen=True)
class _SentenceVector:
    """One sentence as weights of its n-grams, one dict for each n."""

    weights: list[dict[Ngram, float]]
    norms: list[float]
    length: int


class CiderD:
    """Scores sentences for images whose human captions it was given."""

    def __init__(self, references: Sequence[Sequence[TokenIds]]) -> None:
        """Count in how many images each n-gram occurs, and weigh the references by it.

        Args:
            references: For each image, its human captions as token ids.
        """
        seen_in: Counter[Ngram] = Counter()
        for captions in references:
            seen_in.update({ngram for caption in captions for ngram in _ngrams(caption)})
        self._log_images = math.log(max(len(references), 2))
        self._rarity = {ngram: self._log_images - math.log(images) for ngram, images in seen_in.items()}
        self._references = [[self._vector(caption) for caption in captions] for captions in references]

    def score(self, image: int, sentence: TokenIds) -> float:
        """Return CIDEr-D of a sentence for the image of that place in the references; 0 to 10."""
        vector = self._vector(sentence)
        references = self._references[image]
        return 10.0 * sum(_likeness(vector, reference) for reference in references) / len(references)

    def _vector(self, sentence: TokenIds) -> _SentenceVector:
        weights: list[dict[Ngram, float]] = [{} for _ in range(LONGEST_NGRAM)]
        for ngram, count in Counter(_ngrams(sentence)).items():
            weights[len(ngram) - 1][ngram] = count * self._rarity.get(ngram, self._log_images)
        norms = [math.sqrt(sum(weight * weight for weight in each.values())) for each in weights]
        return _SentenceVector(weights, norms, len(sentence))


def _ngrams(sentence: TokenIds) -> list[Ngram]:
    return [tuple(sentence[at : at + n]) for n in range(1, LONGEST_NGRAM + 1) for at in range(len(sentence) - n + 1)]


def _likeness(sentence: _SentenceVector, reference: _SentenceVector) -> float:
    """Return the mean cosine over n-gram sizes, clipped to the reference's counts and lowered by another length."""
    cosines = 0.0
    for said, meant, said_norm, meant_norm in zip(
        sentence.weights, reference.weights, sentence.norms, reference.norms, strict=True
    ):
        if said_norm and meant_norm:
            common = sum(min(weight, meant[ngram]) * meant[ngram] for ngram, weight in said.items() if ngram in meant)
            cosines += common / (said_norm * meant_norm)
    length_penalty = math.exp(-((sentence.length - reference.length) ** 2) / (2 * LENGTH_SIGMA**2))
    return cosines / LONGEST_NGRAM * length_penalty
