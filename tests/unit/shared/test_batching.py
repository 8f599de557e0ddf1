"""What waits together runs together, and nothing that a queue of single images promised is lost by it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence

import pytest

from shared.batching import BatchWorker, Room
from shared.deadline import Deadline
from shared.errors import DeadlineExceeded, Overloaded
from shared.run_size import LOWERED_S, RunSize, run_sizes


class Model:
    """Doubles numbers; holds its runs until it is let go, and has memory for `memory` numbers."""

    def __init__(self, memory: int = 100) -> None:
        self.memory = memory
        self.runs: list[list[int]] = []
        self.go = threading.Event()
        self.began = threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.runs.append(list(numbers))
        self.began.set()
        assert self.go.wait(10)
        if len(numbers) > self.memory:
            raise MemoryError
        return [2 * number for number in numbers]


@pytest.fixture
def model() -> Iterator[Model]:
    model = Model()
    yield model
    model.go.set()


def _worker(model: Model, *, largest: int = 4, waiting: int = 16, wait_ms: float = 0) -> BatchWorker[int, int]:
    return BatchWorker("test", model, Room(largest, threads=1, waiting=waiting, wait_ms=wait_ms))


def _ask(worker: BatchWorker[int, int], number: int, *, background: bool = False) -> asyncio.Task[int]:
    return asyncio.create_task(worker.run(lambda: number, deadline=Deadline.after(60), is_background=background))


async def _occupied(worker: BatchWorker[int, int], model: Model) -> asyncio.Task[int]:
    """Let the model run for 0, and return when it does."""
    first = _ask(worker, 0)
    await asyncio.to_thread(model.began.wait, 10)
    return first


async def _decoded(worker: BatchWorker[int, int]) -> None:
    """Return when all that waits has been decoded."""
    while any(not job.items for job in worker._queue) or worker._decoding:
        await asyncio.sleep(0.001)


async def _asked(worker: BatchWorker[int, int], numbers: Sequence[int], **how: bool) -> list[asyncio.Task[int]]:
    tasks = [_ask(worker, number, **how) for number in numbers]
    await asyncio.sleep(0)
    await _decoded(worker)
    return tasks


async def test_a_free_model_does_not_wait_and_then_takes_what_came_meanwhile_together(model: Model) -> None:
    worker = _worker(model)
    first = await _occupied(worker, model)
    others = await _asked(worker, range(1, 8))
    model.go.set()
    assert await asyncio.gather(first, *others) == [0, 2, 4, 6, 8, 10, 12, 14]
    assert model.runs == [[0], [1, 2, 3, 4], [5, 6], [7]]
    worker.close()


async def test_a_free_model_waits_for_others_where_it_is_told_to(model: Model) -> None:
    model.go.set()
    worker = _worker(model, largest=2, wait_ms=5000)
    assert await asyncio.gather(_ask(worker, 1), _ask(worker, 2)) == [2, 4]
    assert [sorted(run) for run in model.runs] == [[1, 2]]
    worker.close()
    worker = _worker(model, largest=2, wait_ms=20)
    assert await _ask(worker, 3) == 6  # nobody else comes
    worker.close()


async def test_background_work_waits_for_all_others_and_shares_no_run_with_them(model: Model) -> None:
    worker = _worker(model)
    first = await _occupied(worker, model)
    background = await _asked(worker, [7, 8], background=True)
    urgent = await _asked(worker, [1])
    model.go.set()
    await asyncio.gather(first, *background, *urgent)
    assert model.runs == [[0], [1], [7, 8]]
    worker.close()


async def test_background_work_goes_on_when_what_was_before_it_is_given_up(model: Model) -> None:
    worker = _worker(model)
    slow = threading.Event()
    urgent = asyncio.create_task(worker.run(lambda: slow.wait(10) and 1, deadline=Deadline.after(10)))
    background = await asyncio.wait_for(_asked_while_decoding(worker, 7), 5)
    model.go.set()
    urgent.cancel()
    assert await background == 14
    slow.set()
    worker.close()


async def _asked_while_decoding(worker: BatchWorker[int, int], number: int) -> asyncio.Task[int]:
    task = _ask(worker, number, background=True)
    while not any(job.items for job in worker._queue):
        await asyncio.sleep(0.001)
    return task


async def test_an_image_that_cannot_be_decoded_harms_no_other(model: Model) -> None:
    worker = _worker(model)
    first = await _occupied(worker, model)
    broken = asyncio.create_task(worker.run(lambda: 1 // 0, deadline=Deadline.after(10)))
    good = await _asked(worker, [1, 2])
    with pytest.raises(ZeroDivisionError):
        await broken
    model.go.set()
    assert await asyncio.gather(first, *good) == [0, 2, 4]
    assert model.runs == [[0], [1, 2]]
    worker.close()


async def test_what_nobody_waits_for_any_more_is_never_run(model: Model) -> None:
    worker = _worker(model)
    first = await _occupied(worker, model)
    cancelled, kept = await _asked(worker, [1, 2])
    with pytest.raises(DeadlineExceeded):
        await worker.run(lambda: 3, deadline=Deadline.after(0.05))
    cancelled.cancel()
    model.go.set()
    assert await asyncio.gather(first, kept) == [0, 4]
    assert model.runs == [[0], [2]]
    worker.close()


async def test_a_full_queue_refuses_at_once_and_a_run_takes_one_place(model: Model) -> None:
    worker = _worker(model, waiting=2)
    first = await _occupied(worker, model)
    assert worker.load == pytest.approx(1 / 3)
    others = await _asked(worker, [1, 2])
    assert worker.load == 1
    with pytest.raises(Overloaded):
        worker.require_room(deadline=Deadline.after(5))
    with pytest.raises(Overloaded):
        await worker.run(lambda: 3, deadline=Deadline.after(5))
    model.go.set()
    await asyncio.gather(first, *others)
    assert worker.load == 0
    worker.close()


async def test_an_image_that_would_wait_beyond_its_deadline_is_refused_at_once() -> None:
    model = Model()
    model.go.set()
    now_s = 0.0

    def clock() -> float:
        nonlocal now_s
        now_s += 2.0  # a run looks at it twice
        return now_s

    worker: BatchWorker[int, int] = BatchWorker("test", model, Room(4, 1, 100), clock=clock)
    await worker.run(lambda: 0, deadline=Deadline.after(60))  # 2 s an image
    model.go.clear()
    model.began.clear()
    tasks = [await _occupied(worker, model), *await _asked(worker, range(4))]
    with pytest.raises(Overloaded) as refused:  # 5 images before it: 10 s, and 2 s for itself
        worker.require_room(deadline=Deadline.after(11))
    assert refused.value.headers == {"Retry-After": "10"}
    worker.require_room(deadline=Deadline.after(13))
    model.go.set()
    await asyncio.gather(*tasks)
    worker.close()


async def test_too_little_memory_halves_the_runs_and_loses_no_image() -> None:
    model = Model(memory=2)
    worker = _worker(model, largest=8)
    first = await _occupied(worker, model)
    others = await _asked(worker, range(1, 9))
    model.go.set()
    assert await asyncio.gather(first, *others) == [2 * number for number in range(9)]
    assert [len(run) for run in model.runs] == [1, 8, 4, 2, 2, 2, 2]
    worker.close()


async def test_too_little_memory_for_one_image_is_told_as_overload() -> None:
    model = Model(memory=0)
    model.go.set()
    worker = _worker(model)
    with pytest.raises(Overloaded, match="memory"):
        await worker.run(lambda: 1, deadline=Deadline.after(5))
    model.memory = 1
    assert await worker.run(lambda: 1, deadline=Deadline.after(5)) == 2
    worker.close()


async def test_a_failure_of_the_model_reaches_all_who_were_in_the_run() -> None:
    def fail(numbers: Sequence[int]) -> list[int]:
        raise RuntimeError(f"{len(numbers)} numbers")

    worker: BatchWorker[int, int] = BatchWorker("test", fail, Room(4, 1, 4))
    with pytest.raises(RuntimeError, match="1 numbers"):
        await worker.run(lambda: 1, deadline=Deadline.after(5))
    worker.close()


def test_runs_have_few_sizes_and_none_is_filled_up() -> None:
    assert run_sizes(8) == [1, 2, 4, 8]
    assert run_sizes(6) == [1, 2, 4]
    size = RunSize(8)
    assert [size.of(ready) for ready in (0, 1, 3, 7, 8, 100)] == [0, 1, 2, 4, 8, 8]


def test_a_lowered_size_is_tried_again_after_a_while() -> None:
    now_s = 100.0
    size = RunSize(8, clock=lambda: now_s)
    size.lower(4)
    size.lower(2)
    assert size.most == 2
    now_s += LOWERED_S - 1
    assert size.most == 2
    now_s += 1
    assert size.most == 8
