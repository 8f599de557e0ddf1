"""Do long work in short steps, each a transaction of its own, for as long as a request's deadline allows."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from shared.deadline import Deadline

RESERVE_S = 1.0
"""Of every deadline so much is kept for the answer."""


async def in_steps(step: Callable[[], Awaitable[bool]], *, deadline: Deadline) -> bool:
    """Repeat a step until it returns False, at its end, or until time may not suffice for another; at least once.

    Returns:
        Whether the end was reached.

    Raises:
        DeadlineExceeded: a step took until after the deadline.
    """
    longest_s = 0.0
    while True:
        started = time.monotonic()
        if not await step():
            return True
        longest_s = max(longest_s, time.monotonic() - started)
        if deadline.remaining_s() < RESERVE_S + 2 * longest_s:
            return False
