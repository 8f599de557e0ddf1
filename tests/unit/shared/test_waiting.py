"""What is refused because it would wait too long, and when it is told to come back; no clock is needed."""

from __future__ import annotations

import pytest

from shared.waiting import LONGEST_RETRY_AFTER_S, WaitEstimate


def _estimate(at_once: int, *durations_s: float) -> WaitEstimate:
    estimate = WaitEstimate(at_once=at_once)
    for duration_s in durations_s:
        estimate.note(duration_s)
    return estimate


def test_without_a_measurement_nothing_is_refused_for_its_time() -> None:
    assert WaitEstimate(at_once=1).is_in_time(1000, remaining_s=0.001)
    assert WaitEstimate(at_once=1).retry_after_s(1000) == 1


@pytest.mark.parametrize(("at_once", "present", "wait_s"), [(1, 0, 0), (1, 1, 2), (1, 5, 10), (2, 1, 0), (2, 5, 4)])
def test_the_wait_grows_with_the_queue_and_shrinks_with_parallel_work(
    at_once: int, present: int, wait_s: float
) -> None:
    assert _estimate(at_once, 2.0).wait_s(present) == wait_s


def test_work_is_refused_as_soon_as_waiting_and_working_take_longer_than_is_left() -> None:
    estimate = _estimate(1, 2.0)
    assert estimate.is_in_time(4, remaining_s=10)
    assert not estimate.is_in_time(5, remaining_s=10)
    assert estimate.is_in_time(5, remaining_s=12)


def test_what_need_not_wait_is_taken_however_slow_the_last_was() -> None:
    estimate = _estimate(1, 600.0)
    assert estimate.is_in_time(0, remaining_s=1)
    assert not estimate.is_in_time(1, remaining_s=1)


def test_the_newest_durations_count_most() -> None:
    estimate = _estimate(1, *[1.0] * 50)
    assert estimate.service_s == pytest.approx(1.0)
    estimate.note(2.0)
    assert estimate.service_s == pytest.approx(1.2)
    for _ in range(30):
        estimate.note(0.1)
    assert estimate.service_s == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize(("present", "retry_after_s"), [(0, 1), (1, 2), (7, 11), (1000, LONGEST_RETRY_AFTER_S)])
def test_whoever_is_refused_may_come_back_when_the_present_queue_is_worked_off(
    present: int, retry_after_s: int
) -> None:
    assert _estimate(2, 3.0).retry_after_s(present) == retry_after_s


def test_what_is_done_together_shares_its_time_but_ends_at_the_same_moment() -> None:
    estimate = WaitEstimate(at_once=1)
    for _ in range(50):
        estimate.note(2.0, pieces=4)
    assert (estimate.service_s, estimate.run_s) == (pytest.approx(0.5), pytest.approx(2.0))
    assert estimate.is_in_time(8, remaining_s=6)  # 4 s until it begins, with 8 before it, and 2 s of the run
    assert not estimate.is_in_time(8, remaining_s=5.9)
