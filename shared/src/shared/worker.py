"""Run blocking work off the event loop, with a bound on how much may wait, in number and in time.

Decoding and inference hold a processor for long; the loop must go on answering, and a queue without a bound would
only turn overload into timeouts.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from shared.deadline import Deadline
from shared.errors import DeadlineExceeded
from shared.turns import Turns

Result = TypeVar("Result")


class BoundedWorker:
    """Threads that take one job each, and a queue of at most `waiting` jobs before them."""

    def __init__(self, name: str, *, threads: int, waiting: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._name = name
        self._turns = Turns(name, at_once=threads, waiting=waiting)
        self._clock = clock

    @property
    def load(self) -> float:
        """Share of the places that are taken, 0 to 1; at 1 new work is refused."""
        return self._turns.load

    def require_room(self, *, deadline: Deadline) -> None:
        """Raise as `run` would if a job came now; for whoever has something to spare by asking first."""
        self._turns.require_room(deadline=deadline)

    async def run(self, job: Callable[[], Result], *, deadline: Deadline, is_background: bool = False) -> Result:
        """Run `job` on a thread and return its result.

        A job whose deadline passes while it waits is never started; one in the background waits for all others.

        Raises:
            Overloaded: the queue is full, or its estimated wait leaves the job no time.
            DeadlineExceeded: the deadline came before the result.
        """
        await self._turns.take(deadline=deadline, is_background=is_background)
        took_s: list[float] = []

        def timed() -> Result:
            deadline.remaining_s()
            started = self._clock()
            try:
                return job()
            finally:
                took_s.append(self._clock() - started)

        try:
            # The context goes along, or what the job logs would not carry its request's id.
            future = self._executor.submit(contextvars.copy_context().run, timed)
        except RuntimeError:  # it was closed meanwhile
            self._turns.give_back(None)
            raise
        # Not when the caller stops waiting: the thread is free when the job has come to its end.
        future.add_done_callback(self._release(asyncio.get_running_loop(), took_s))
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + deadline.at_s - time.monotonic()):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise DeadlineExceeded(f"{self._name} did not finish in time") from error

    def close(self) -> None:
        """Finish the job under way on each thread, drop those that wait."""
        self._turns.drop_waiting()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _release(self, loop: asyncio.AbstractEventLoop, took_s: list[float]) -> Callable[[Future[Result]], None]:
        def release() -> None:
            self._turns.give_back(took_s[0] if took_s else None)

        def done(_: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(release)

        return done
