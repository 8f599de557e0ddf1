"""How many images go through a model at once: 1, 2, 4, 8, ..., and for a while fewer where memory was short.

Powers of two keep the shapes few, so that a graph is compiled once for each; and a run never computes for nobody, as
it would if it were filled up to a shape.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

LOWERED_S = 60.0
"""Seconds after which it is tried again whether memory suffices for more."""


def run_sizes(largest: int) -> list[int]:
    """Return the sizes that runs have, the smallest first."""
    return [2**power for power in range(largest.bit_length())]


class RunSize:
    """The size of the next run."""

    def __init__(self, largest: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._largest = run_sizes(largest)[-1]
        self._clock = clock
        self._lowered = self._largest
        self._until_s = 0.0

    @property
    def most(self) -> int:
        """Most images of a run now."""
        if self._lowered < self._largest and self._clock() >= self._until_s:
            self._lowered = self._largest
        return self._lowered

    def of(self, ready: int) -> int:
        """Return how many of so many images go next; 0 of none."""
        return run_sizes(min(ready, self.most))[-1] if ready else 0

    def lower(self, most: int) -> None:
        """Let no run be larger than this for LOWERED_S seconds: a larger one had not memory enough."""
        self._lowered = run_sizes(max(1, min(most, self._lowered)))[-1]
        self._until_s = self._clock() + LOWERED_S
        log.warning("batches_lowered", extra={"images": self._lowered, "for_s": LOWERED_S})
