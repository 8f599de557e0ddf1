"""Beam search: keep the few best sentence beginnings and let each grow by a word at a time.

It knows nothing of networks: a step function scores the next words. It stops on the end token's *id*, and a finished
sentence's score is divided by a power of its length, or short sentences would always win (Wu et al., 2016, section 7,
arXiv:1609.08144).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from caption_service.model.vocabulary import END_ID, PADDING_ID, START_ID, UNKNOWN_ID

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int32]

NextWords = Callable[[Ids, Ids], Floats]
"""Score the next words.

Called with the last word of each row, (images * beams,), and with the row each one continues, (images * beams,);
answers log-probabilities (images * beams, vocabulary). Row `image * beams + b` belongs to that image.
"""

_NEVER = (PADDING_ID, START_ID, UNKNOWN_ID)


@dataclass(frozen=True)
class Sentence:
    """A finished sentence: its token ids without start and end, and its log-probability with the end token."""

    token_ids: tuple[int, ...]
    log_probability: float

    def score(self, length_power: float) -> float:
        """Return what sentences are compared by; the end token counts as a word."""
        return float(self.log_probability / (len(self.token_ids) + 1) ** length_power)

    @property
    def word_probability(self) -> float:
        """Return the geometric mean of its words' probabilities, the end token's included; 0 to 1."""
        return float(np.exp(self.log_probability / (len(self.token_ids) + 1)))


def beam_search(
    next_words: NextWords, *, images: int, beams: int, longest: int, length_power: float
) -> list[list[Sentence]]:
    """Return up to `beams` sentences for each image, best first.

    Args:
        next_words: Scores the next words; it is called at most `longest` times.
        images: How many images are described at once.
        beams: Sentence beginnings kept for each image.
        longest: Most words in a sentence; one that has not ended by then ends there.
        length_power: 0 compares sentences by log-probability, 1 by its mean over the words.
    """
    finished: list[list[Sentence]] = [[] for _ in range(images)]
    words = np.zeros((images, beams, 0), np.int32)
    scores = np.full((images, beams), -np.inf, np.float32)
    scores[:, 0] = 0.0  # at first all beams are the same empty beginning, so only one of them may grow
    last = np.full((images, beams), START_ID, np.int32)
    origin = np.tile(np.arange(beams, dtype=np.int32), (images, 1))
    row_offset = np.arange(images, dtype=np.int32)[:, None] * beams

    for length in range(longest + 1):
        log_probabilities = next_words(last.reshape(-1), (origin + row_offset).reshape(-1))
        log_probabilities = log_probabilities.reshape(images, beams, -1).copy()
        log_probabilities[:, :, _NEVER] = -np.inf
        if length == 0:
            log_probabilities[:, :, END_ID] = -np.inf  # nobody is helped by an empty sentence
        _finish(finished, words, scores + log_probabilities[:, :, END_ID])
        log_probabilities[:, :, END_ID] = -np.inf
        if length == longest:
            break
        candidates = (scores[:, :, None] + log_probabilities).reshape(images, -1)  # (images, beams * vocabulary)
        best = np.argpartition(-candidates, beams - 1, axis=1)[:, :beams]
        scores = np.take_along_axis(candidates, best, axis=1)
        origin, last = (part.astype(np.int32) for part in np.divmod(best, log_probabilities.shape[2]))
        words = np.concatenate([np.take_along_axis(words, origin[:, :, None], axis=1), last[:, :, None]], axis=2)
        if all(
            _is_settled(ends, scores[image], beams=beams, longest=longest, length_power=length_power)
            for image, ends in enumerate(finished)
        ):
            break
    return [sorted(ends, key=lambda s: -s.score(length_power))[:beams] for ends in finished]


def _finish(finished: list[list[Sentence]], words: Ids, ended_scores: Floats) -> None:
    """Keep every beginning that could end here as a sentence."""
    for image, beam in np.argwhere(np.isfinite(ended_scores)):
        token_ids = tuple(int(token_id) for token_id in words[image, beam])
        finished[image].append(Sentence(token_ids, float(ended_scores[image, beam])))


def _is_settled(ends: list[Sentence], scores: Floats, *, beams: int, longest: int, length_power: float) -> bool:
    """Say whether no growing beginning can still enter the best: log-probabilities only fall."""
    if len(ends) < beams:
        return False
    worst_kept = sorted((end.score(length_power) for end in ends), reverse=True)[beams - 1]
    best_possible = float(scores.max()) / (longest + 1) ** length_power
    return bool(best_possible <= worst_kept)
