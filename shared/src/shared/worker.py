"""Run blocking work off the event loop, with a bound on how much may wait, in number and in time.

Decoding and inference hold a processor for long; the loop must go on answering, and a queue without a bound would
only turn overload into timeouts.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from shared.deadline import Deadline
from shared.errors import DeadlineExceeded, Overloaded
from shared.waiting import WaitEstimate

Result = TypeVar("Result")


class BoundedWorker:
    """Threads that take one job each, and a queue of at most `waiting` jobs before them."""

    def __init__(self, name: str, *, threads: int, waiting: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._name = name
        self._capacity = threads + waiting
        self._jobs = 0
        self._estimate = WaitEstimate(at_once=threads)
        self._clock = clock

    @property
    def load(self) -> float:
        """Share of the places that are taken, 0 to 1; at 1 new work is refused."""
        return self._jobs / self._capacity

    def require_room(self, *, deadline: Deadline) -> None:
        """Raise as `run` would if a job came now; for whoever has something to spare by asking first.

        Raises:
            Overloaded: the queue is full, or its estimated wait leaves the job no time.
            DeadlineExceeded: the deadline has passed.
        """
        remaining_s = deadline.remaining_s()
        if self._jobs >= self._capacity:
            raise Overloaded(
                f"{self._name} already has {self._jobs} jobs; try again shortly",
                retry_after_s=self._estimate.retry_after_s(self._jobs),
            )
        if not self._estimate.is_in_time(self._jobs, remaining_s=remaining_s):
            wait_s = self._estimate.wait_s(self._jobs)
            raise Overloaded(
                f"{self._name} would begin this in about {wait_s:.1f} s, too late for the {remaining_s:.1f} s that are "
                "left; try again later or allow more time",
                retry_after_s=self._estimate.retry_after_s(self._jobs),
            )

    async def run(self, job: Callable[[], Result], *, deadline: Deadline) -> Result:
        """Run `job` on a thread and return its result.

        A job whose deadline passes while it waits is never started.

        Raises:
            Overloaded: the queue is full, or its estimated wait leaves the job no time.
            DeadlineExceeded: the deadline came before the result.
        """
        self.require_room(deadline=deadline)
        remaining_s = deadline.remaining_s()
        self._jobs += 1
        # The context goes along, or what the job logs would not carry its request's id.
        future = self._executor.submit(contextvars.copy_context().run, self._unless_late, job, deadline)
        future.add_done_callback(self._release(asyncio.get_running_loop()))
        try:
            async with asyncio.timeout(remaining_s):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise DeadlineExceeded(f"{self._name} did not finish in time") from error

    def close(self) -> None:
        """Finish the job under way on each thread, drop those that wait."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _unless_late(self, job: Callable[[], Result], deadline: Deadline) -> Result:
        deadline.remaining_s()
        started = self._clock()
        try:
            return job()
        finally:
            self._estimate.note(self._clock() - started)

    def _release(self, loop: asyncio.AbstractEventLoop) -> Callable[[object], None]:
        def release() -> None:
            self._jobs -= 1

        def done(_: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(release)

        return done
