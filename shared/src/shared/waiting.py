"""Estimate how long new work would wait, from how long work took of late.

A queue that is bounded only in number turns overload into timeouts: its length says nothing of the time that passes in
it. With an estimate, what cannot be done within its deadline is refused at once, and told when to come back.
"""

from __future__ import annotations

import math

from shared.errors import Overloaded

WEIGHT_OF_NEWEST = 0.2
"""Of the moving average: about the last ten durations count."""
LONGEST_RETRY_AFTER_S = 60


class WaitEstimate:
    """An exponentially weighted moving average of service times, and what follows for a queue before it."""

    def __init__(self, *, at_once: int) -> None:
        self._at_once = at_once
        self._service_s: float | None = None
        self._pieces = 1.0

    @property
    def service_s(self) -> float:
        """Seconds that one piece of work takes, its share where several are done together; 0 while none is measured."""
        return self._service_s or 0.0

    @property
    def run_s(self) -> float:
        """Seconds until a piece is done that has been begun: those done with it are done at the same time."""
        return self.service_s * self._pieces

    def note(self, duration_s: float, *, pieces: int = 1) -> None:
        """Learn from work that was done, so many pieces together."""
        share_s = duration_s / pieces
        if self._service_s is None:
            self._service_s, self._pieces = share_s, pieces
        else:
            self._service_s += WEIGHT_OF_NEWEST * (share_s - self._service_s)
            self._pieces += WEIGHT_OF_NEWEST * (pieces - self._pieces)

    def wait_s(self, present: int) -> float:
        """Return the seconds until work that comes now is begun, with so much present, begun or not."""
        ahead = max(0, present - self._at_once + 1)
        return self.service_s * ahead / self._at_once

    def is_in_time(self, present: int, *, remaining_s: float) -> bool:
        """Say whether work that comes now would be done within its time.

        What need not wait always may: an estimate from a bad moment must not refuse everything for ever.
        """
        return present < self._at_once or self.wait_s(present) + self.run_s <= remaining_s

    def retry_after_s(self, present: int) -> int:
        """Return the whole seconds, at least 1, until what is present now has been worked off."""
        return min(LONGEST_RETRY_AFTER_S, max(1, math.ceil(self.service_s * present / self._at_once)))

    def require_in_time(self, name: str, ahead: int, *, remaining_s: float) -> None:
        """Refuse work that would not be done within its time with so much before it.

        Raises:
            Overloaded: its wait leaves it no time; `name` is who says so.
        """
        if not self.is_in_time(ahead, remaining_s=remaining_s):
            raise Overloaded(
                f"{name} would begin this in about {self.wait_s(ahead):.1f} s, too late for the {remaining_s:.1f} s "
                "that are left; try again later or allow more time",
                retry_after_s=self.retry_after_s(ahead),
            )

    def full(self, name: str, present: int) -> Overloaded:
        """Return how work is refused where no place is left."""
        return Overloaded(
            f"{name} already has {present} jobs; try again shortly", retry_after_s=self.retry_after_s(present)
        )
