"""Let the model services of one machine compute in turn, each with all processors for as long as one run takes.

The threads of a network wait for each other after every layer. Where another network computes beside it, one of them is
held up in each layer and all wait for that one: both together take longer than one after the other. Priorities do not
help, because whoever is preferred still waits until the other's slice of time is over.
"""

from __future__ import annotations

import fcntl
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

log = logging.getLogger(__name__)

PATIENCE_S = 2.0
POLL_S = 0.0005
"""A lock on a file cannot be waited for with a bound."""


class ComputeLock:
    """Held by one thread of one process at a time, by courtesy: who has waited for long computes all the same."""

    def __init__(self, file: str = "", *, patience_s: float = PATIENCE_S) -> None:
        """Take a file that the services share.

        Args:
            file: It is made if need be; none: nobody is waited for.
            patience_s: Most seconds to wait for others, who may have been stopped in the middle of a run.
        """
        self._file = file
        self._patience_s = patience_s

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Wait for the others, and hold the lock within the block; say whether it is held. A kill lets go of it."""
        stream = self._opened()
        if stream is None:
            yield False
            return
        with stream:  # closing it lets go of the lock
            yield self._taken(stream)

    def _opened(self) -> IO[str] | None:
        if not self._file:
            return None
        try:
            return Path(self._file).open("a", encoding="utf-8")
        except OSError as error:  # its folder is gone, say
            log.warning("compute_lock_lost", extra={"file": self._file, "reason": str(error)})
            return None

    def _taken(self, stream: IO[str]) -> bool:
        until_s = time.monotonic() + self._patience_s
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until_s:
                    return False
                time.sleep(POLL_S)
            else:
                return True
