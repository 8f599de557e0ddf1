"""The vectors written since the index was: few enough to compare with each, and bounded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from usearch.compiled import MetricKind
from usearch.index import search

from shared.contracts import EMBEDDING_SIZE
from storage_service.vectors import Near, Vector, from_bytes

Keys = npt.NDArray[np.uint64]

FIRST_ROOM_ROWS = 1024


class Tail:
    """Numbers and vectors, 264 bytes each; what has been added never changes its place."""

    def __init__(self, limit_rows: int) -> None:
        self._limit_rows = limit_rows
        self._keys: Keys = np.empty(FIRST_ROOM_ROWS, np.uint64)
        self._vectors = np.empty((FIRST_ROOM_ROWS, EMBEDDING_SIZE), np.int8)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def is_full(self) -> bool:
        """Whether there may be vectors that found no room."""
        return len(self) >= self._limit_rows

    def add(self, rows: Sequence[tuple[int, bytes]]) -> None:
        """Add what is not known yet, as far as there is room."""
        seqs = [seq for seq, _ in rows]
        if min(seqs, default=0) > self._keys[: len(self)].max(initial=0):  # as it mostly is, and quickly said
            fresh = rows[: self._limit_rows - len(self)]
        else:
            is_known = np.isin(np.array(seqs, np.uint64), self._keys[: len(self)])
            unknown = [row for row, known in zip(rows, is_known, strict=True) if not known]
            fresh = unknown[: self._limit_rows - len(self)]
        if not fresh:
            return
        begin, end = len(self), len(self) + len(fresh)
        if end > len(self._keys):
            self._keys, self._vectors = (
                _widened(part, max(end, 2 * len(part))) for part in (self._keys, self._vectors)
            )
        self._keys[begin:end] = [seq for seq, _ in fresh]
        self._vectors[begin:end] = from_bytes(*(vector for _, vector in fresh))
        self._count = end  # last: who searches meanwhile sees what was there before

    def search(self, vector: Vector, count: int) -> Near:
        """Return the nearest vectors, compared with all."""
        keys, vectors = self._filled()
        if not len(keys):
            return {}
        found = search(vectors, vector, min(count, len(keys)), MetricKind.Cos, exact=True, threads=1)
        return dict(zip(keys[found.keys.astype(np.int64)].tolist(), found.distances.tolist(), strict=True))

    def _filled(self) -> tuple[Keys, np.ndarray[tuple[int, int], np.dtype[np.int8]]]:
        return self._keys[: len(self)], self._vectors[: len(self)]


def _widened(rows: npt.NDArray[Any], room: int) -> npt.NDArray[Any]:
    """Return the same with room for more, of which the memory is taken only when they come."""
    widened = np.empty((room, *rows.shape[1:]), rows.dtype)
    widened[: len(rows)] = rows
    return widened
