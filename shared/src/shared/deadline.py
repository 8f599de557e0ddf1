"""How much time a request still has, handed from hop to hop.

A caller sends the milliseconds that remain in `X-Deadline-Ms`; clocks of different machines need not agree.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from shared.errors import BadRequest, DeadlineExceeded

DEADLINE_HEADER = "X-Deadline-Ms"
_MOST_DIGITS = 18
"""Python refuses to read a number of thousands of digits, and no deadline needs them."""


@dataclass(frozen=True)
class Deadline:
    """A moment of this process' monotonic clock."""

    at_s: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    @classmethod
    def from_header(cls, value: str | None, *, longest_s: float) -> Deadline:
        """Read `X-Deadline-Ms`; without one, or with a later one, the deadline is `longest_s` from now.

        Raises:
            BadRequest: the header is not a positive whole number.
        """
        if value is None:
            return cls.after(longest_s)
        if not (value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS and int(value) > 0):
            raise BadRequest(f"{DEADLINE_HEADER} must be a positive number of milliseconds, not {value[:40]!r}")
        return cls.after(min(int(value) / 1000, longest_s))

    def remaining_s(self) -> float:
        """Return the seconds left.

        Raises:
            DeadlineExceeded: none are.
        """
        remaining = self.at_s - time.monotonic()
        if remaining <= 0:
            raise DeadlineExceeded("the request's deadline has passed")
        return remaining
