"""Do a transaction again of which nothing was kept: a few times, apart from others, and not past the deadline."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.deadline import Deadline
from storage_service.errors import TransactionUndone

log = logging.getLogger(__name__)

MOST_TRIES = 6
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0

Result = TypeVar("Result")


async def repeated(work: Callable[[], Awaitable[Result]], *, deadline: Deadline) -> Result:
    """Do work that is one transaction; again, after a pause, when it was undone.

    Raises:
        TransactionUndone: it was undone each time, or there is no time for another try.
    """
    tries = 0
    while True:
        try:
            return await work()
        except TransactionUndone as error:
            tries += 1
            pause_s = pause(tries)
            if tries == MOST_TRIES or time.monotonic() + pause_s >= deadline.at_s:
                raise
            log.warning("transaction_repeated", extra={"tries": tries, "reason": error.detail})
            await asyncio.sleep(pause_s)


def pause(tries: int) -> float:
    """Return the seconds to wait after so many tries: doubled each time, and by chance up to half shorter."""
    longest_s: float = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (tries - 1))
    return longest_s * random.uniform(0.5, 1)  # noqa: S311  # only keeps those apart who got in each other's way
