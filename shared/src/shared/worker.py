"""Run blocking work off the event loop, with a bound on how much may wait.

Decoding and inference hold a processor for long; the loop must go on answering, and a queue without a bound would
only turn overload into timeouts.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from shared.deadline import Deadline
from shared.errors import DeadlineExceeded, Overloaded

Result = TypeVar("Result")


class BoundedWorker:
    """Threads that take one job each, and a queue of at most `waiting` jobs before them."""

    def __init__(self, name: str, *, threads: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._name = name
        self._capacity = threads + waiting
        self._jobs = 0

    async def run(self, job: Callable[[], Result], *, deadline: Deadline) -> Result:
        """Run `job` on a thread and return its result.

        A job whose deadline passes while it waits is never started.

        Raises:
            Overloaded: the queue is full.
            DeadlineExceeded: the deadline came before the result.
        """
        if self._jobs >= self._capacity:
            raise Overloaded(f"{self._name} already has {self._jobs} jobs; try again shortly")
        remaining_s = deadline.remaining_s()
        self._jobs += 1
        # The context goes along, or what the job logs would not carry its request's id.
        future = self._executor.submit(contextvars.copy_context().run, _unless_late, job, deadline)
        future.add_done_callback(self._release(asyncio.get_running_loop()))
        try:
            async with asyncio.timeout(remaining_s):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise DeadlineExceeded(f"{self._name} did not finish in time") from error

    def close(self) -> None:
        """Finish the job under way on each thread, drop those that wait."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _release(self, loop: asyncio.AbstractEventLoop) -> Callable[[object], None]:
        def release() -> None:
            self._jobs -= 1

        def done(_: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(release)

        return done


def _unless_late(job: Callable[[], Result], deadline: Deadline) -> Result:
    deadline.remaining_s()
    return job()
