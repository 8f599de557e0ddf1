"""Ask again where that may help and can do no harm; in the whole of Legenda only here, so that tries do not multiply.

Only calls that may be made twice are, and only when the service could not be reached or the connection broke: one that
is full, late or broken would get more of what it cannot do. A budget keeps a service that is away from being asked
several times as often as one that is there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from shared.deadline import Deadline
from shared.errors import DeadlineExceeded, UpstreamUnavailable

MOST_TRIES = 3
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 1.0
RETRIES_A_CALL = 0.1
"""A tenth of the calls at most, apart from a few that were saved up."""
MOST_SAVED = 10.0

Result = TypeVar("Result")


class RetryBudget:
    """A bucket that each call puts a part of a token in, and each retry takes one from."""

    def __init__(self) -> None:
        self._tokens = MOST_SAVED

    def note_call(self) -> None:
        """Count a call that is no retry."""
        self._tokens = min(MOST_SAVED, self._tokens + RETRIES_A_CALL)

    def take(self) -> bool:
        """Take what a retry costs; False where that is not there."""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Retrying:
    """Makes calls to one service again."""

    def __init__(self, *, count: Callable[[], None], budget: RetryBudget | None = None) -> None:
        self._budget = budget or RetryBudget()
        self._count = count

    async def call(self, once: Callable[[], Awaitable[Result]], *, deadline: Deadline) -> Result:
        """Return what `once` returns, at the first, second or third try, with growing random pauses between them."""
        self._budget.note_call()
        try:
            return await once()  # nearly always the last try, too
        except UpstreamUnavailable as error:
            failures = [error]

        async def again() -> Result:
            if failures:
                raise failures.pop()
            return await once()

        def is_last(state: RetryCallState) -> bool:
            return state.attempt_number >= MOST_TRIES or _is_late(deadline) or not self._budget.take()

        retrying = AsyncRetrying(
            retry=retry_if_exception(_is_worth_it),
            stop=is_last,
            wait=wait_random_exponential(multiplier=FIRST_PAUSE_S, max=LONGEST_PAUSE_S),
            before_sleep=lambda _: self._count(),
            reraise=True,
        )
        return await retrying(again)


def _is_worth_it(error: BaseException) -> bool:
    return isinstance(error, UpstreamUnavailable)


def _is_late(deadline: Deadline) -> bool:
    try:
        return deadline.remaining_s() <= LONGEST_PAUSE_S
    except DeadlineExceeded:
        return True
