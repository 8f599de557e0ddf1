"""Cut pictures, not captions, into batches: each picture is seen once a step, in a view drawn anew.

Block 5 costs more than the decoder. So a step takes each picture through it once, and several of its captions share
what is seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from caption_service.model.vocabulary import Vocabulary
from caption_service.training.batches import Ids, said_and_next
from caption_service.training.view_sets import TrainingSet
from caption_service.training.views import Maps

Sentences = list[list[int]]
"""Captions of one picture as token ids, without start and end."""


@dataclass(frozen=True)
class ViewBatch:
    """A view of some pictures, and some captions of each."""

    pictures: npt.NDArray[np.int64]
    """The pictures' places in `ViewBatches.sentences`, (pictures,)."""
    maps: Maps
    """One view of each after block 4, (pictures, 14, 14, 512)."""
    said: Ids
    """Start token and words, (pictures * captions, tokens); one picture's captions follow each other."""
    next_said: Ids
    """What comes after each of them: words, end token, padding; the same shape."""


class ViewBatches:
    """All pictures of some training sets, ready to be cut into batches of one size."""

    def __init__(
        self, sets: Sequence[TrainingSet], vocabulary: Vocabulary, *, images: int, captions: int, tokens: int
    ) -> None:
        """Turn the captions into token ids.

        Args:
            sets: The pictures, in views.
            vocabulary: The words.
            images: Pictures of a batch.
            captions: Captions of each picture in a batch; a picture with fewer repeats some.
            tokens: Where sentences are cut, the end token included.
        """
        self._images, self._captions, self._tokens = images, captions, tokens
        self._places = [(each.views, row) for each in sets for row in range(len(each.captions))]
        self.sentences: list[Sentences] = [
            [vocabulary.token_ids(sentence) for sentence in several]
            for each in sets
            for several in each.captions.values()
        ]
        repeats = [each.repeats for each in sets for _ in each.captions]
        self._round = np.repeat(np.arange(len(self._places)), repeats)

    def __len__(self) -> int:
        """Return the batches of one epoch."""
        return math.ceil(len(self._round) / self._images)

    def epoch(self, random: np.random.Generator) -> Iterator[ViewBatch]:
        """Yield every picture as often as its set says, in a random order; the first ones fill the last batch."""
        order = np.resize(random.permutation(self._round), (len(self), self._images))
        for pictures in order:
            maps = np.stack([views.draw(row, random) for views, row in (self._places[at] for at in pictures)])
            chosen = [sentence for at in pictures for sentence in self._some_of(self.sentences[at], random)]
            yield ViewBatch(pictures, maps, *said_and_next(chosen, self._tokens))

    def _some_of(self, sentences: Sentences, random: np.random.Generator) -> Sentences:
        too_few = len(sentences) < self._captions
        return [sentences[at] for at in random.choice(len(sentences), self._captions, replace=too_few)]
