"""Let so many work at once, and the others wait for their turn: not too many, not too long, the urgent first.

All of it happens on one event loop.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from shared.deadline import Deadline
from shared.errors import DeadlineExceeded
from shared.waiting import WaitEstimate


class Turns:
    """Places for `at_once`, and a queue of at most `waiting`; what is in the background waits for all others."""

    def __init__(self, name: str, *, at_once: int, waiting: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._at_once = at_once
        self._places = at_once + waiting
        self._clock = clock
        self._estimate = WaitEstimate(at_once=at_once)
        self._under_way = 0
        self._queue: list[tuple[bool, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    @property
    def load(self) -> float:
        """Share of the places that are taken, 0 to 1; at 1 new work is refused."""
        return min(1.0, (self._under_way + len(self._queue)) / self._places)

    def require_room(self, *, deadline: Deadline, is_background: bool = False) -> None:
        """Raise as `take` would now; for whoever has something to spare by asking first.

        Raises:
            Overloaded: the queue is full, or its estimated wait leaves no time for the work.
            DeadlineExceeded: the deadline has passed.
        """
        remaining_s = deadline.remaining_s()
        present = self._under_way + len(self._queue)
        if present >= self._places:
            raise self._estimate.full(self._name, present)
        ahead = self._under_way + sum(is_background or not behind for behind, _, _ in self._queue)
        self._estimate.require_in_time(self._name, ahead, remaining_s=remaining_s)

    async def take(self, *, deadline: Deadline, is_background: bool = False) -> None:
        """Wait for a place; whoever has it calls `give_back`.

        Raises:
            Overloaded: as `require_room`.
            DeadlineExceeded: the turn did not come in time.
        """
        self.require_room(deadline=deadline, is_background=is_background)
        if self._under_way < self._at_once:
            self._under_way += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (is_background, next(self._numbers), turn)
        heapq.heappush(self._queue, entry)
        try:
            async with asyncio.timeout(deadline.remaining_s()):
                await turn
        except BaseException as error:  # also when nobody waits for it any more
            if entry in self._queue:
                self._queue.remove(entry)
                heapq.heapify(self._queue)
            elif turn.done() and not turn.cancelled():  # it came at the same moment
                self.give_back(None)
            if isinstance(error, TimeoutError):
                raise DeadlineExceeded(f"{self._name} did not begin in time") from error
            raise

    def give_back(self, took_s: float | None) -> None:
        """Leave a place to the next, and say how long it was needed; None: it was not used."""
        if took_s is not None:
            self._estimate.note(took_s)
        self._under_way -= 1
        while self._queue and self._under_way < self._at_once:
            _, _, turn = heapq.heappop(self._queue)
            if not turn.done():
                turn.set_result(None)
                self._under_way += 1

    def drop_waiting(self) -> None:
        """Let nobody's turn come any more."""
        for _, _, turn in self._queue:
            turn.cancel()
        self._queue.clear()

    @asynccontextmanager
    async def turn(self, *, deadline: Deadline, is_background: bool = False) -> AsyncIterator[None]:
        """Have a place meanwhile; raises as `take`."""
        await self.take(deadline=deadline, is_background=is_background)
        started = self._clock()
        try:
            yield
        finally:
            self.give_back(self._clock() - started)
