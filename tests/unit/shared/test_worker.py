from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from shared.deadline import Deadline
from shared.errors import DeadlineExceeded, Overloaded
from shared.worker import BoundedWorker


@pytest.fixture
def worker() -> Iterator[BoundedWorker]:
    worker = BoundedWorker("test", threads=1, waiting=1)
    yield worker
    worker.close()


async def test_work_runs_off_the_event_loop(worker: BoundedWorker) -> None:
    thread = await worker.run(threading.get_ident, deadline=Deadline.after(5))
    assert thread != threading.get_ident()


async def test_an_error_of_the_work_reaches_the_caller(worker: BoundedWorker) -> None:
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: 1 // 0, deadline=Deadline.after(5))


async def test_a_full_queue_refuses_at_once_and_takes_work_again_later(worker: BoundedWorker) -> None:
    release = threading.Event()
    jobs = [asyncio.create_task(worker.run(release.wait, deadline=Deadline.after(5))) for _ in range(2)]
    await asyncio.sleep(0)

    with pytest.raises(Overloaded):
        await worker.run(lambda: 1, deadline=Deadline.after(5))

    release.set()
    await asyncio.gather(*jobs)
    await asyncio.sleep(0)
    assert await worker.run(lambda: 1, deadline=Deadline.after(5)) == 1


async def test_work_whose_deadline_passes_in_the_queue_is_never_started(worker: BoundedWorker) -> None:
    release = threading.Event()
    started = []
    first = asyncio.create_task(worker.run(release.wait, deadline=Deadline.after(5)))
    await asyncio.sleep(0)

    with pytest.raises(DeadlineExceeded):
        await worker.run(lambda: started.append(1), deadline=Deadline.after(0.05))

    release.set()
    await first
    await worker.run(lambda: None, deadline=Deadline.after(5))
    assert not started


async def test_a_job_that_would_wait_beyond_its_deadline_is_refused_at_once_and_told_when_to_come_back() -> None:
    seconds = iter(range(0, 1000, 4))  # each job seems to take 4 s
    worker = BoundedWorker("test", threads=1, waiting=10, clock=lambda: float(next(seconds)))
    await worker.run(lambda: None, deadline=Deadline.after(60))
    await asyncio.sleep(0)
    release = threading.Event()
    under_way = [asyncio.create_task(worker.run(release.wait, deadline=Deadline.after(60))) for _ in range(2)]
    await asyncio.sleep(0)

    with pytest.raises(Overloaded) as refused:  # 8 s of waiting and 4 s of work
        await worker.run(lambda: None, deadline=Deadline.after(11))
    assert refused.value.headers == {"Retry-After": "8"}
    with pytest.raises(Overloaded):
        worker.require_room(deadline=Deadline.after(11))
    worker.require_room(deadline=Deadline.after(20))

    release.set()
    await asyncio.gather(*under_way)
    worker.close()


async def test_the_load_says_how_much_of_the_room_is_taken(worker: BoundedWorker) -> None:
    assert worker.load == 0
    release = threading.Event()
    job = asyncio.create_task(worker.run(release.wait, deadline=Deadline.after(5)))
    await asyncio.sleep(0)
    assert worker.load == 0.5
    release.set()
    await job
