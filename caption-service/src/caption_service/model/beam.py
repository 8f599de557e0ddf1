"""Beam search: keep the few best sentence beginnings and let each grow by a word at a time.

Beside the plain beam other groups may search that avoid its words, so that what they find is said differently
(Vijayakumar et al., 2016, arXiv:1610.02424). The plain beam does not know of them and finds what it finds alone.

It knows nothing of networks: a step function scores the next words. It stops on the end token's *id*, and a finished
sentence's score is divided by a power of its length, or short sentences would always win (Wu et al., 2016, section 7,
arXiv:1609.08144).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from caption_service.model.vocabulary import END_ID, PADDING_ID, START_ID, UNKNOWN_ID

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int32]

NextWords = Callable[[Ids, Ids], Floats]
"""Score the next words.

Called with the last word of each beginning that may still win, (rows,), and with the row of the call before that each
one continues, (rows,), in the first call with its image; answers log-probabilities (rows, vocabulary). The rows of an
image follow each other, in the images' order; one that is settled has none.
"""

NEVER = (PADDING_ID, START_ID, UNKNOWN_ID)
"""Tokens that no sentence holds."""

LOOK_AHEAD = 2
"""A beginning is given up that could not win by so many more words and the end, were they certain."""


@dataclass(frozen=True)
class Sentence:
    """A finished sentence: its token ids without start and end, and its log-probability with the end token."""

    token_ids: tuple[int, ...]
    log_probability: float

    def score(self, length_power: float) -> float:
        """Return what sentences are compared by; the end token counts as a word."""
        return float(self.log_probability / (len(self.token_ids) + 1) ** length_power)

    @property
    def word_log_probability(self) -> float:
        """Return the mean of its words' log-probabilities in nats, the end token's included."""
        return self.score(1.0)


@dataclass(frozen=True)
class Group:
    """Beams that search together."""

    beams: int
    diversity: float = 0.0
    """Nats taken off a word for each beam of the groups before that says it at the same place; it weighs when
    beginnings are chosen, and leaves their log-probabilities as they are."""
    wanted: int | None = None
    """How many sentences; none: as many as there are beams. A beginning that cannot become one of them is given up."""

    @property
    def most(self) -> int:
        """Sentences that are kept."""
        return self.wanted or self.beams


def beam_search(
    next_words: NextWords,
    *,
    images: int,
    groups: Sequence[Group],
    longest: int,
    length_power: float,
    look_ahead: int = LOOK_AHEAD,
) -> list[list[list[Sentence]]]:
    """Return for each image what each group found, up to as many sentences as are wanted of it, best first.

    Args:
        next_words: Scores the next words; it is called at most `longest` + 1 times, and no more when no beginning can
            get better than what was found.
        images: How many images are described at once.
        groups: The first one is a plain beam search; each other one avoids the words of those before it.
        longest: Most words in a sentence; one that has not ended by then ends there.
        length_power: 0 compares sentences by log-probability, 1 by its mean over the words.
        look_ahead: See `LOOK_AHEAD`; with `longest` nothing is given up that might win.
    """
    rows = sum(group.beams for group in groups)
    ends = np.cumsum([group.beams for group in groups])
    searches = [
        _Search(group, images, end - group.beams, longest, length_power, look_ahead)
        for group, end in zip(groups, ends, strict=True)
    ]
    first_of_image = np.arange(images, dtype=np.int32)[:, None] * rows
    rows_before = np.arange(images, dtype=np.int32).repeat(rows)  # of each place, (images * rows,)
    for length in range(longest + 1):
        growing = np.flatnonzero(np.isfinite(np.concatenate([search.scores for search in searches], axis=1)))
        if not len(growing):
            break
        last = np.concatenate([search.last for search in searches], axis=1).reshape(-1)
        origin = (np.concatenate([search.origin for search in searches], axis=1) + first_of_image).reshape(-1)
        scored = next_words(last[growing], rows_before[origin[growing]])
        rows_before[growing] = np.arange(len(growing), dtype=np.int32)
        log_probabilities = np.full((images, rows, scored.shape[1]), -np.inf, np.float32)
        log_probabilities.reshape(images * rows, -1)[growing] = scored
        log_probabilities[:, :, NEVER] = -np.inf
        if length == 0:
            log_probabilities[:, :, END_ID] = -np.inf  # nobody is helped by an empty sentence
        said = np.zeros((images, scored.shape[1]), np.float32)
        for search in searches:
            search.grow(log_probabilities, said)
    return [[search.best[image] for search in searches] for image in range(images)]


@dataclass
class _Search:
    """One group's beginnings, and the sentences that ended."""

    group: Group
    images: int
    first_row: int
    longest: int
    length_power: float
    look_ahead: int
    best: list[list[Sentence]] = field(init=False)
    """Of each image, best first; as many as are wanted."""

    def __post_init__(self) -> None:
        shape = (self.images, self.group.beams)
        self.best = [[] for _ in range(self.images)]
        self.to_beat = np.full(self.images, -np.inf)  # the score of the last of the best, where there are enough
        self.words = np.zeros((*shape, 0), np.int32)
        self.scores = np.full(shape, -np.inf, np.float32)
        self.scores[:, 0] = 0.0  # at first all beams are the same empty beginning, so only one of them may grow
        self.last = np.full(shape, START_ID, np.int32)
        self.origin = np.tile(self._rows, (self.images, 1))

    def grow(self, log_probabilities: Floats, said: Floats) -> None:
        """Let the beginnings end or grow by a word.

        Args:
            log_probabilities: Of all groups, (images, rows, vocabulary).
            said: How many beams of the earlier groups say each word at this place, (images,
                vocabulary); ours are added.
        """
        own = log_probabilities[:, self.first_row : self.first_row + self.group.beams]
        self._finish(self.scores + own[:, :, END_ID])
        own[:, :, END_ID] = -np.inf
        if self.words.shape[2] == self.longest:
            return
        wished = self.scores[:, :, None] + own  # (images, beams, vocabulary)
        if self.group.diversity:
            wished -= (self.group.diversity * said)[:, None]
        origin, last = (part.astype(np.int32) for part in np.divmod(self._best_of(wished), own.shape[2]))
        image = np.arange(self.images)[:, None]
        self.scores = self.scores[image, origin] + own[image, origin, last]
        self.words = np.concatenate([self.words[image, origin], last[:, :, None]], axis=2)
        self.origin, self.last = origin + self.first_row, last
        # Two beams may say the same; those that were given up say nothing.
        np.add.at(said, (image, last), np.isfinite(self.scores))
        self._give_up()

    @property
    def _rows(self) -> Ids:
        return np.arange(self.first_row, self.first_row + self.group.beams, dtype=np.int32)

    def _best_of(self, wished: Floats) -> npt.NDArray[np.intp]:
        """Return where the best beginnings of each image are, (images, beams), and take them out of `wished`.

        To look for the best as often as there are beams takes less time than to sort in part, which needs a copy.
        """
        flat = wished.reshape(self.images, -1)
        best = np.empty((self.images, self.group.beams), np.intp)
        for beam in range(self.group.beams):
            best[:, beam] = flat.argmax(axis=1)
            flat[np.arange(self.images), best[:, beam]] = -np.inf
        return best

    def _give_up(self) -> None:
        """Let go of beginnings that can hardly enter the best of their image: log-probabilities only fall."""
        most_words = min(self.longest, self.words.shape[2] + self.look_ahead)
        best_possible = self.scores / (most_words + 1) ** self.length_power
        self.scores[best_possible <= self.to_beat[:, None]] = -np.inf

    def _finish(self, ended: Floats) -> None:
        """Keep every beginning that could end here, (images, beams), as a sentence, if it is among the best so far."""
        scores = ended.astype(np.float64) / (self.words.shape[2] + 1) ** self.length_power
        for image, beam in np.argwhere(scores > self.to_beat[:, None]):
            best = self.best[image]
            best.append(Sentence(tuple(self.words[image, beam].tolist()), float(ended[image, beam])))
            best.sort(key=lambda sentence: -sentence.score(self.length_power))
            del best[self.group.most :]
            if len(best) == self.group.most:
                self.to_beat[image] = best[-1].score(self.length_power)
