"""The vectors written since the index was: few enough to compare with each, and bounded."""

from __future__ import annotations

from collections.abc import Sequence

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
        self._known: set[int] = set()

    def __len__(self) -> int:
        return len(self._known)

    @property
    def is_full(self) -> bool:
        """Whether there may be vectors that found no room."""
        return len(self) >= self._limit_rows

    def add(self, rows: Sequence[tuple[int, bytes]]) -> None:
        """Add what is not known yet, as far as there is room."""
        fresh = [row for row in rows if row[0] not in self._known][: self._limit_rows - len(self)]
        if not fresh:
            return
        begin, end = len(self), len(self) + len(fresh)
        if end > len(self._keys):
            room = max(end, 2 * len(self._keys))
            self._keys = np.resize(self._keys, room)
            self._vectors = np.resize(self._vectors, (room, EMBEDDING_SIZE))
        self._keys[begin:end] = [seq for seq, _ in fresh]
        self._vectors[begin:end] = from_bytes(*(vector for _, vector in fresh))
        self._known.update(seq for seq, _ in fresh)

    def search(self, vector: Vector, count: int) -> Near:
        """Return the nearest vectors, compared with all."""
        keys, vectors = self._filled()
        if not len(keys):
            return {}
        found = search(vectors, vector, min(count, len(keys)), MetricKind.Cos, exact=True, threads=1)
        return dict(zip(keys[found.keys.astype(np.int64)].tolist(), found.distances.tolist(), strict=True))

    def _filled(self) -> tuple[Keys, np.ndarray[tuple[int, int], np.dtype[np.int8]]]:
        rows = len(self._known)
        return self._keys[:rows], self._vectors[:rows]
