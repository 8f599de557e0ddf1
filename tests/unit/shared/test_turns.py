"""Who works, who waits, who is refused; the clock is ours, and only deadlines that are to pass do."""

from __future__ import annotations

import asyncio

import pytest

from shared.deadline import Deadline
from shared.errors import DeadlineExceeded, Overloaded
from shared.turns import Turns


def _later() -> Deadline:
    return Deadline.after(60)


class Worker:
    """Takes a turn, and keeps it until told."""

    def __init__(self, turns: Turns, begun: list[str], name: str = "", *, is_background: bool = False) -> None:
        self.go = asyncio.Event()
        self._begun = begun
        self._name = name
        self.task = asyncio.create_task(self._work(turns, is_background))

    async def _work(self, turns: Turns, is_background: bool) -> None:
        async with turns.turn(deadline=_later(), is_background=is_background):
            self._begun.append(self._name)
            await self.go.wait()


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_urgent_go_before_the_background_whoever_came_first() -> None:
    turns, begun = Turns("test", at_once=1, waiting=9), list[str]()
    running = Worker(turns, begun, "running")
    await _settle()
    waiting = [
        Worker(turns, begun, "background 1", is_background=True),
        Worker(turns, begun, "urgent 1"),
        Worker(turns, begun, "background 2", is_background=True),
        Worker(turns, begun, "urgent 2"),
    ]
    await _settle()
    for worker in [running, *waiting]:
        worker.go.set()
    await asyncio.gather(running.task, *(worker.task for worker in waiting))
    assert begun == ["running", "urgent 1", "urgent 2", "background 1", "background 2"]
    assert turns.load == 0


async def test_the_backlog_does_not_make_an_upload_too_late() -> None:
    seconds = iter(range(0, 1000, 4))  # each turn seems to take 4 s
    turns = Turns("test", at_once=1, waiting=20, clock=lambda: float(next(seconds)))
    async with turns.turn(deadline=_later()):
        pass
    begun: list[str] = []
    workers = [Worker(turns, begun), *(Worker(turns, begun, is_background=True) for _ in range(8))]
    await _settle()
    turns.require_room(deadline=Deadline.after(9))  # 4 s of waiting, 4 s of work
    with pytest.raises(Overloaded) as refused:
        turns.require_room(deadline=Deadline.after(30), is_background=True)
    assert refused.value.headers == {"Retry-After": "36"}
    for worker in workers:
        worker.go.set()
    await asyncio.gather(*(worker.task for worker in workers))


async def test_a_turn_that_does_not_come_in_time_leaves_no_trace() -> None:
    turns = Turns("test", at_once=1, waiting=1)
    running = Worker(turns, [])
    await _settle()
    with pytest.raises(DeadlineExceeded):
        await turns.take(deadline=Deadline.after(0.01))
    left = Worker(turns, [])
    await _settle()
    left.task.cancel()
    await asyncio.gather(left.task, return_exceptions=True)
    assert turns.load == 0.5
    running.go.set()
    await running.task
    assert turns.load == 0
    async with turns.turn(deadline=_later()):
        pass


async def test_a_turn_that_comes_as_its_owner_leaves_goes_to_the_next() -> None:
    turns, begun = Turns("test", at_once=1, waiting=5), list[str]()
    await turns.take(deadline=_later())
    leaving, staying = Worker(turns, begun, "leaving"), Worker(turns, begun, "staying")
    await _settle()
    turns.give_back(None)
    leaving.task.cancel()
    staying.go.set()
    await staying.task
    assert begun == ["staying"]
    assert turns.load == 0


async def test_more_than_may_wait_are_refused() -> None:
    turns = Turns("test", at_once=1, waiting=1)
    workers = [Worker(turns, []) for _ in range(2)]
    await _settle()
    with pytest.raises(Overloaded):
        await turns.take(deadline=_later())
    assert turns.load == 1
    for worker in workers:
        worker.go.set()
    await asyncio.gather(*(worker.task for worker in workers))


async def test_whoever_waits_at_the_end_is_told() -> None:
    turns = Turns("test", at_once=1, waiting=1)
    running, waiting = Worker(turns, []), Worker(turns, [])
    await _settle()
    turns.drop_waiting()
    with pytest.raises(asyncio.CancelledError):
        await waiting.task
    running.go.set()
    await running.task
