"""When a service is not asked any more, and when again, by a clock of our own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress

import httpx
import pytest
from prometheus_client import CollectorRegistry

from gateway.breakers import FAIR_S, Breaker, BreakerLimits, CircuitOpen, UpstreamMetrics
from gateway.guarded_client import GuardedClient
from gateway.retrying import MOST_SAVED, MOST_TRIES, RetryBudget, Retrying
from shared.contracts import ModelName
from shared.deadline import Deadline
from shared.errors import (
    DeadlineExceeded,
    ForwardedProblem,
    Overloaded,
    Problem,
    ServiceError,
    UpstreamFailed,
    UpstreamUnavailable,
)

LIMITS = BreakerLimits(failures=3, pause_s=5.0)
REFUSED = ForwardedProblem(Problem(title="x", status=422, code="broken_image", detail="x", request_id="r"))


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def breaker(clock: Clock, registry: CollectorRegistry) -> Breaker:
    return Breaker("caption", LIMITS, UpstreamMetrics(registry), clock=clock)


def _fail(breaker: Breaker, error: BaseException, *, times: int = 1, given_s: float = 10.0) -> None:
    for _ in range(times):
        with pytest.raises(type(error)), breaker.guarding(given_s=given_s):
            raise error


def _open(breaker: Breaker) -> None:
    _fail(breaker, UpstreamFailed("down"), times=LIMITS.failures)
    assert breaker.state == "open"


def _states(registry: CollectorRegistry) -> Iterator[str]:
    for state in ("closed", "half-open", "open"):
        if registry.get_sample_value("breaker_state", {"service": "caption", "breaker_state": state}):
            yield state


@pytest.mark.parametrize("error", [UpstreamFailed("down"), UpstreamUnavailable("away"), DeadlineExceeded("hangs")])
def test_failures_in_a_row_open_it_and_the_next_call_is_not_made(
    breaker: Breaker, registry: CollectorRegistry, error: ServiceError
) -> None:
    _fail(breaker, error, times=LIMITS.failures - 1)
    assert breaker.is_admitting()
    _fail(breaker, error)
    assert (breaker.is_admitting(), list(_states(registry))) == (False, ["open"])
    with pytest.raises(CircuitOpen) as refused, breaker.guarding(given_s=10):
        pytest.fail("the call was made")
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "5"})
    assert registry.get_sample_value("breaker_refused_total", {"service": "caption"}) == 1


@pytest.mark.parametrize("error", [Overloaded("full"), REFUSED, asyncio.CancelledError()])
def test_a_service_that_is_full_or_refuses_does_its_job(breaker: Breaker, error: BaseException) -> None:
    _fail(breaker, error, times=10)
    assert breaker.state == "closed"


def test_an_impatient_caller_does_not_cut_a_service_off_for_all_others(breaker: Breaker) -> None:
    _fail(breaker, DeadlineExceeded("late"), times=10, given_s=FAIR_S / 2)
    assert breaker.state == "closed"


def test_a_success_between_failures_begins_the_count_anew(breaker: Breaker) -> None:
    for _ in range(5):
        _fail(breaker, UpstreamFailed("down"), times=LIMITS.failures - 1)
        with breaker.guarding(given_s=10):
            pass
    assert breaker.state == "closed"


def test_after_a_pause_one_call_tries_it_and_closes_it(
    breaker: Breaker, clock: Clock, registry: CollectorRegistry
) -> None:
    _open(breaker)
    clock.now_s += LIMITS.pause_s - 0.1
    assert not breaker.is_admitting()
    clock.now_s += 0.2
    with breaker.guarding(given_s=10):
        assert list(_states(registry)) == ["half-open"]
        with pytest.raises(CircuitOpen), breaker.guarding(given_s=10):
            pytest.fail("a second call was made")
    assert (breaker.is_admitting(), list(_states(registry))) == (True, ["closed"])


@pytest.mark.parametrize("error", [UpstreamFailed("still down"), DeadlineExceeded("hangs"), asyncio.CancelledError()])
def test_a_trial_that_fails_or_shows_nothing_begins_the_pause_anew(
    breaker: Breaker, clock: Clock, error: BaseException
) -> None:
    _open(breaker)
    clock.now_s += LIMITS.pause_s + 0.1
    _fail(breaker, error, given_s=0.1)
    assert not breaker.is_admitting()
    clock.now_s += LIMITS.pause_s + 0.1
    assert breaker.is_admitting()


def test_a_trial_that_is_refused_has_reached_the_service(breaker: Breaker, clock: Clock) -> None:
    _open(breaker)
    clock.now_s += LIMITS.pause_s + 0.1
    _fail(breaker, Overloaded("full"))
    assert breaker.state == "closed"


def test_a_change_is_told_once(breaker: Breaker, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        _open(breaker)
        clock.now_s += LIMITS.pause_s + 0.1
        with breaker.guarding(given_s=10):
            pass
    told = [vars(record)["state"] for record in caplog.records if record.message == "breaker_changed"]
    assert told == ["open", "half-open", "closed"]


def test_a_budget_lets_a_tenth_of_the_calls_be_made_again() -> None:
    budget = RetryBudget()
    saved = 0
    while budget.take():
        saved += 1
    assert saved == MOST_SAVED
    taken = 0
    for _ in range(1000):
        budget.note_call()
        taken += budget.take()
    assert 99 <= taken <= 100


class Service:
    """Answers after so many broken connections, and counts what reaches it."""

    def __init__(self, broken: int) -> None:
        self.broken = broken
        self.calls = 0

    def __call__(self, _: httpx.Request) -> httpx.Response:
        self.calls += 1
        if self.calls <= self.broken:
            raise httpx.RemoteProtocolError("the server disconnected")
        return httpx.Response(200, json={"name": "m", "version": "1"})


def _client(
    service: Callable[[httpx.Request], httpx.Response], registry: CollectorRegistry, budget: RetryBudget | None = None
) -> GuardedClient:
    metrics = UpstreamMetrics(registry)
    http = httpx.AsyncClient(transport=httpx.MockTransport(service), base_url="http://caption")
    limits = BreakerLimits(failures=50, pause_s=5)
    retrying = Retrying(count=metrics.repeated.labels("caption").inc, budget=budget)
    return GuardedClient("caption", http, breaker=Breaker("caption", limits, metrics), retrying=retrying)


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/images"), ("POST", "/v1/images"), ("POST", "/v1/captions")])
async def test_a_broken_connection_is_made_good_where_asking_twice_does_no_harm(
    registry: CollectorRegistry, method: str, path: str
) -> None:
    service = Service(broken=MOST_TRIES - 1)
    answer = await _client(service, registry).call(ModelName, method, path, deadline=Deadline.after(10))
    assert (answer.name, service.calls) == ("m", MOST_TRIES)
    assert registry.get_sample_value("upstream_retries_total", {"service": "caption"}) == MOST_TRIES - 1


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/leases"), ("PATCH", "/v1/images/1"), ("DELETE", "/v1/images/1")]
)
async def test_what_could_happen_twice_is_not_asked_again(registry: CollectorRegistry, method: str, path: str) -> None:
    service = Service(broken=1)
    with pytest.raises(UpstreamUnavailable):
        await _client(service, registry).send(method, path, deadline=Deadline.after(10))
    assert service.calls == 1


async def test_a_service_that_stays_away_is_asked_three_times_at_most_and_not_past_the_deadline(
    registry: CollectorRegistry,
) -> None:
    for deadline_s, calls in ((10, MOST_TRIES), (0.5, 1)):
        service = Service(broken=1000)
        with pytest.raises(UpstreamUnavailable):
            await _client(service, CollectorRegistry()).send("GET", "/", deadline=Deadline.after(deadline_s))
        assert service.calls == calls


async def test_no_stream_is_begun_from_a_service_that_is_not_asked(registry: CollectorRegistry) -> None:
    service = Service(broken=50)
    client = _client(service, registry)
    while service.calls < 50:
        with pytest.raises(UpstreamUnavailable):
            await client.send("DELETE", "/", deadline=Deadline.after(10))
    with pytest.raises(CircuitOpen):
        await anext(client.stream("GET", "/v1/export", step_timeout_s=10))
    assert service.calls == 50


async def test_a_stream_passes_the_guard_piece_by_piece(registry: CollectorRegistry) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    client = _client(lambda _: httpx.Response(200, content=body()), registry)
    assert [piece async for piece in client.stream("GET", "/", step_timeout_s=10)] == [b"one", b"two"]


async def test_without_a_budget_nothing_is_asked_again(registry: CollectorRegistry) -> None:
    budget = RetryBudget()
    while budget.take():
        pass
    service = Service(broken=1000)
    client = _client(service, registry, budget)
    for _ in range(20):
        with suppress(UpstreamUnavailable):
            await client.send("GET", "/", deadline=Deadline.after(10))
    assert service.calls <= 22


async def test_a_failure_that_is_no_broken_connection_is_not_asked_again(registry: CollectorRegistry) -> None:
    calls = []

    def busy(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        problem = Problem(title="x", status=503, code="overloaded", detail="full", request_id="r")
        return httpx.Response(503, json=problem.model_dump())

    client = _client(busy, registry)  # type: ignore[arg-type]
    with pytest.raises(Overloaded):
        await client.send("GET", "/", deadline=Deadline.after(10))
    assert len(calls) == 1
