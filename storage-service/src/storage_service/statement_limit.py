"""How long a statement of SQLite may take; SQLite asks while it works, from the connection's own thread."""

from __future__ import annotations

import math
import time


class StatementLimit:
    """When the statement of one connection has taken too long."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._until = math.inf
        self._is_ended = False

    def start(self) -> None:
        """Begin to measure: another statement is executed now."""
        self._until = time.monotonic() + self._timeout_s

    def end(self) -> None:
        """Let this statement, and any that comes after it, be given up at once."""
        self._is_ended = True

    def is_over(self) -> bool:
        """Say whether to give the statement up."""
        return self._is_ended or time.monotonic() > self._until
