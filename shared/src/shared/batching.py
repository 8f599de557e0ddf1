"""Let images that wait at the same moment go through a model together, with the promises that `shared.worker` gives.

What waits is bounded in number and in time, urgent work goes first, and what nobody waits for any more is never begun.
An image is decoded before it joins a run, so a broken one harms no other. No library that we found bounds its queue in
time and knows deadlines; TensorFlow's batch op and the package `batched` do not.
"""

from __future__ import annotations

import asyncio
import bisect
import contextvars
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from shared.deadline import Deadline
from shared.errors import DeadlineExceeded, Overloaded
from shared.run_size import RunSize
from shared.waiting import WaitEstimate

Item = TypeVar("Item")
Result = TypeVar("Result")
Done = TypeVar("Done")

DECODERS = 2
"""Images that are decoded at once, for all runs."""


@dataclass(frozen=True)
class Room:
    """How much is worked on at once."""

    largest: int
    """Most images of a run."""
    threads: int
    """Runs at a time."""
    waiting: int
    """Images that may wait while the model runs."""
    wait_ms: float = 0.0
    """How long a free model waits for more images to join the first one."""


@dataclass(eq=False)
class _Job(Generic[Item, Result]):
    """An image on its way; `items` is empty until it has been decoded."""

    order: tuple[bool, int]
    """Whether it may wait for all others, and its number."""
    deadline: Deadline
    prepare: Callable[[], Item]
    answer: asyncio.Future[Result]
    is_begun: bool = False
    items: list[Item] = field(default_factory=list)
    ready_s: float = 0.0


class BatchWorker(Generic[Item, Result]):
    """Threads that run a model on several images at a time, and a queue of at most `waiting` images before them."""

    def __init__(
        self,
        name: str,
        run: Callable[[Sequence[Item]], Sequence[Result]],
        room: Room,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make the threads.

        Args:
            name: Of the work, for messages.
            run: The model; it raises MemoryError where so many are too many, and then gets fewer.
            room: How much is taken at once.
            clock: Gives seconds.
        """
        self._name, self._run = name, run
        self._threads, self._places = room.threads, room.threads + room.waiting
        self._wait_s, self._clock = room.wait_ms / 1000, clock
        self._size = RunSize(room.largest, clock=clock)
        self._estimate = WaitEstimate(at_once=room.threads)
        self._decoders = ThreadPoolExecutor(DECODERS, thread_name_prefix=f"{name}-decoding")
        self._models = ThreadPoolExecutor(room.threads, thread_name_prefix=name)
        self._queue: list[_Job[Item, Result]] = []
        self._number = self._decoding = self._runs = self._under_way = 0

    @property
    def load(self) -> float:
        """Share of the places that are taken, 0 to 1; at 1 new work is refused. A run takes one place."""
        return min(1.0, (self._runs + len(self._queue)) / self._places)

    def require_room(self, *, deadline: Deadline, is_background: bool = False) -> None:
        """Raise as `run` would if an image came now.

        Raises:
            Overloaded: the queue is full, or its estimated wait leaves no time for the work.
            DeadlineExceeded: the deadline has passed.
        """
        remaining_s = deadline.remaining_s()
        present = self._under_way + len(self._queue)
        if self._runs + len(self._queue) >= self._places:
            raise self._estimate.full(self._name, present)
        ahead = self._under_way + sum(is_background or not job.order[0] for job in self._queue)
        self._estimate.require_in_time(self._name, ahead, remaining_s=remaining_s)

    async def run(self, prepare: Callable[[], Item], *, deadline: Deadline, is_background: bool = False) -> Result:
        """Decode an image with `prepare`, on a thread, and return what the model says of it.

        Raises:
            Overloaded: the queue is full, its estimated wait leaves no time, or one image is too much for the memory.
            DeadlineExceeded: the deadline came before the result.
        """
        self.require_room(deadline=deadline, is_background=is_background)
        self._number += 1
        loop = asyncio.get_running_loop()
        # The context goes along, or what decoding logs would not carry its request's id.
        context = contextvars.copy_context()
        job: _Job[Item, Result] = _Job(
            (is_background, self._number), deadline, lambda: context.run(prepare), loop.create_future()
        )
        self._enter(job)
        try:
            self._begin()
            async with asyncio.timeout_at(loop.time() + deadline.at_s - time.monotonic()):
                return await job.answer
        except TimeoutError as error:
            raise DeadlineExceeded(f"{self._name} did not finish in time") from error
        finally:
            self._leave(job)

    def close(self) -> None:
        """Finish the runs under way, drop what waits."""
        for job in self._queue:
            job.answer.cancel()
        self._queue.clear()
        self._decoders.shutdown(wait=True, cancel_futures=True)
        self._models.shutdown(wait=True, cancel_futures=True)

    def _enter(self, job: _Job[Item, Result]) -> None:
        bisect.insort(self._queue, job, key=lambda each: each.order)

    def _leave(self, job: _Job[Item, Result]) -> None:
        if job in self._queue:
            self._queue.remove(job)
            self._begin()  # others may have waited for it, as background work does

    def _begin(self) -> None:
        """Begin to decode, and to run, what can be."""
        for job in self._queue:
            if self._decoding == DECODERS:
                break
            if not job.is_begun:
                job.is_begun = True
                self._decoding += 1
                self._follow(self._decoders.submit(job.prepare), partial(self._decoded, job))
        while self._runs < self._threads and (jobs := self._next_run()):
            self._runs += 1
            self._under_way += len(jobs)
            for job in jobs:
                self._queue.remove(job)
            future = self._models.submit(self._timed, [item for job in jobs for item in job.items])
            self._follow(future, partial(self._finished, jobs))

    def _next_run(self) -> list[_Job[Item, Result]]:
        """Return the images that go next: never background work in a run with others, nor before others."""
        if not self._queue:
            return []
        kind = self._queue[0].order[0]
        now_s = time.monotonic()
        ready = [job for job in self._queue if job.items and job.order[0] == kind and job.deadline.at_s > now_s]
        if ready and len(ready) < self._size.most:
            waited_s = now_s - min(job.ready_s for job in ready)
            if waited_s < self._wait_s:
                asyncio.get_running_loop().call_later(self._wait_s - waited_s, self._begin)
                return []
        return ready[: self._size.of(len(ready))]

    def _timed(self, items: Sequence[Item]) -> tuple[Sequence[Result], float]:
        started_s = self._clock()
        return self._run(items), self._clock() - started_s

    def _follow(self, future: Future[Done], ended: Callable[[Future[Done]], None]) -> None:
        """Call `ended` on the event loop when a thread is done."""
        loop = asyncio.get_running_loop()

        def tell(future: Future[Done]) -> None:
            if not (loop.is_closed() or future.cancelled()):
                loop.call_soon_threadsafe(ended, future)

        future.add_done_callback(tell)

    def _decoded(self, job: _Job[Item, Result], future: Future[Item]) -> None:
        self._decoding -= 1
        if error := future.exception():
            self._fail([job], error)
        else:
            job.items = [future.result()]
            job.ready_s = time.monotonic()
        self._begin()

    def _finished(self, jobs: Sequence[_Job[Item, Result]], future: Future[tuple[Sequence[Result], float]]) -> None:
        self._runs -= 1
        self._under_way -= len(jobs)
        error = future.exception()
        if isinstance(error, MemoryError):
            self._lighten(jobs, error)
        elif error:
            self._fail(jobs, error)
        else:
            results, took_s = future.result()
            self._estimate.note(took_s, pieces=len(jobs))
            for job, result in zip(jobs, results, strict=True):
                if not job.answer.done():
                    job.answer.set_result(result)
        self._begin()

    def _lighten(self, jobs: Sequence[_Job[Item, Result]], error: MemoryError) -> None:
        """Try again with half as many at a time; one image alone that is too much is given up."""
        if len(jobs) == 1:
            told = Overloaded(f"{self._name} has no memory for even one image; try again later")
            told.__cause__ = error
            self._fail(jobs, told)
            return
        self._size.lower(len(jobs) // 2)
        for job in jobs:
            if not job.answer.done():
                self._enter(job)

    def _fail(self, jobs: Sequence[_Job[Item, Result]], error: BaseException) -> None:
        for job in jobs:
            if not job.answer.done():
                job.answer.set_exception(error)
