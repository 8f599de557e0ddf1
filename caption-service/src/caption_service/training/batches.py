"""Cut captions into batches of like length.

A batch is as long as its longest sentence, and most sentences are short: sorting them by length spares a third of
the work. There are only a few lengths, so that there are only a few graphs to compile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from caption_service.model.vocabulary import END_ID, PADDING_ID, START_ID, Vocabulary

Ids = npt.NDArray[np.int32]

LENGTHS = (9, 12, 15, 21)
"""Tokens in a batch's sentences, the start or end token included."""


@dataclass(frozen=True)
class Batch:
    """Some images and one sentence for each."""

    image_rows: npt.NDArray[np.int64]
    """Rows of what is seen of the images, (batch,)."""
    said: Ids
    """Start token and words, (batch, length)."""
    next_said: Ids
    """What comes after each of them: words, end token, padding, (batch, length)."""


class CaptionBatches:
    """All captions of a training set as token ids, ready to be cut into batches."""

    def __init__(self, captions: Mapping[str, Sequence[str]], vocabulary: Vocabulary, *, batch_size: int) -> None:
        self._batch_size = batch_size
        self._sentences: dict[int, list[tuple[int, list[int]]]] = {length: [] for length in LENGTHS}
        for row, sentences in enumerate(captions.values()):
            for sentence in sentences:
                token_ids = vocabulary.token_ids(sentence)[: LENGTHS[-1] - 1]
                length = next(length for length in LENGTHS if len(token_ids) < length)
                self._sentences[length].append((row, token_ids))

    def __len__(self) -> int:
        """Return the batches of one epoch."""
        return sum(-(-len(sentences) // self._batch_size) for sentences in self._sentences.values())

    def epoch(self, random: np.random.Generator) -> Iterator[Batch]:
        """Yield every caption once, in a random order of batches."""
        parts = []
        for length, sentences in self._sentences.items():
            order = random.permutation(len(sentences))
            parts += [(length, order[at : at + self._batch_size]) for at in range(0, len(order), self._batch_size)]
        for part in random.permutation(len(parts)):
            length, chosen = parts[part]
            yield _batch([self._sentences[length][place] for place in chosen], length)


def said_and_next(sentences: Sequence[Sequence[int]], length: int) -> tuple[Ids, Ids]:
    """Return sentences as a decoder reads them and as it should go on, both (sentences, length), padded or cut.

    Args:
        sentences: Token ids without start and end.
        length: Tokens of a row.
    """
    said = np.full((len(sentences), length), PADDING_ID, np.int32)
    next_said = np.full((len(sentences), length), PADDING_ID, np.int32)
    for at, token_ids in enumerate(sentences):
        read, truth = [START_ID, *token_ids][:length], [*token_ids, END_ID][:length]
        said[at, : len(read)] = read
        next_said[at, : len(truth)] = truth
    return said, next_said


def _batch(sentences: Sequence[tuple[int, list[int]]], length: int) -> Batch:
    said, next_said = said_and_next([token_ids for _, token_ids in sentences], length)
    return Batch(np.array([row for row, _ in sentences]), said, next_said)
