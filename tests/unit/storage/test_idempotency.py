"""A request with a key is done once, on SQLite and on MySQL, by a clock of our own."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from shared.deadline import Deadline
from shared.idempotency import KeyClaim, KeyClaimed, KeyReused, RequestInFlight, StoredAnswer
from storage_service.database import Database
from storage_service.errors import LeaseLost
from storage_service.idempotency import EXPIRED_A_CLAIM, Idempotency
from storage_service.idempotency_table import IdempotencyRecord

ANSWER = StoredAnswer(status=201, location="/api/v1/images/1", media_type="application/json", body='{"é": "🐕"}')
IN_FLIGHT_S = 30.0
KEEP_S = 3600.0


class Clock:
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(database: Database, clock: Clock) -> Idempotency:
    return Idempotency(database, clock=clock)


def _claim(key: str = "k", payload: str = "a", owner: str = "", token: UUID | None = None) -> KeyClaim:
    fingerprint = payload.encode().hex().ljust(64, "0")
    return KeyClaim(
        owner=owner, key=key, token=token or uuid4(), fingerprint=fingerprint, in_flight_s=IN_FLIGHT_S, keep_s=KEEP_S
    )


def _soon() -> Deadline:
    return Deadline.after(20)


async def test_the_answer_that_was_given_is_given_again(keys: Idempotency) -> None:
    first = _claim()
    assert await keys.claim(first, deadline=_soon()) == KeyClaimed(answer=None)
    await keys.finish(first.token, ANSWER, deadline=_soon())
    await keys.finish(first.token, ANSWER, deadline=_soon())
    for _ in range(2):
        assert (await keys.claim(_claim(), deadline=_soon())).answer == ANSWER


async def test_a_request_in_flight_is_not_begun_again_but_by_the_same_attempt(keys: Idempotency) -> None:
    first = _claim()
    await keys.claim(first, deadline=_soon())
    with pytest.raises(RequestInFlight) as refused:
        await keys.claim(_claim(), deadline=_soon())
    assert refused.value.headers == {"Retry-After": "1"}
    assert (await keys.claim(first, deadline=_soon())).answer is None


async def test_the_same_key_for_another_request_is_refused_in_flight_and_later(keys: Idempotency) -> None:
    first = _claim(payload="a")
    await keys.claim(first, deadline=_soon())
    with pytest.raises(KeyReused):
        await keys.claim(_claim(payload="b"), deadline=_soon())
    await keys.finish(first.token, ANSWER, deadline=_soon())
    with pytest.raises(KeyReused):
        await keys.claim(_claim(payload="b"), deadline=_soon())


async def test_keys_of_two_owners_and_in_two_cases_are_different(keys: Idempotency) -> None:
    for claim in (_claim("k"), _claim("K"), _claim("k", owner="someone"), _claim("k" * 255), _claim("k" * 254)):
        assert (await keys.claim(claim, deadline=_soon())).answer is None


async def test_whoever_is_killed_in_the_middle_blocks_no_key_for_ever(keys: Idempotency, clock: Clock) -> None:
    killed, second = _claim(), _claim()
    await keys.claim(killed, deadline=_soon())
    clock.advance(IN_FLIGHT_S + 1)
    assert (await keys.claim(second, deadline=_soon())).answer is None
    with pytest.raises(LeaseLost):
        await keys.finish(killed.token, ANSWER, deadline=_soon())
    with pytest.raises(RequestInFlight):
        await keys.claim(_claim(), deadline=_soon())
    await keys.finish(second.token, ANSWER, deadline=_soon())


async def test_an_attempt_that_came_to_nothing_may_be_made_again_at_once(keys: Idempotency) -> None:
    failed, second = _claim(), _claim()
    await keys.claim(failed, deadline=_soon())
    await keys.release(failed.token, deadline=_soon())
    assert (await keys.claim(second, deadline=_soon())).answer is None
    await keys.finish(second.token, ANSWER, deadline=_soon())
    await keys.release(second.token, deadline=_soon())
    assert (await keys.claim(_claim(), deadline=_soon())).answer == ANSWER


async def test_an_expired_key_is_as_new_and_old_ones_are_cleared_away(
    keys: Idempotency, clock: Clock, database: Database
) -> None:
    for number in range(EXPIRED_A_CLAIM + 5):
        claim = _claim(f"old-{number}")
        await keys.claim(claim, deadline=_soon())
        await keys.finish(claim.token, ANSWER, deadline=_soon())
    clock.advance(KEEP_S + 1)
    assert (await keys.claim(_claim("old-0", payload="b"), deadline=_soon())).answer is None
    await keys.claim(_claim("new"), deadline=_soon())
    async with database.reading() as images:
        left = await images.session.scalar(select(func.count()).select_from(IdempotencyRecord))
    assert left == 25 + 1 - EXPIRED_A_CLAIM


async def test_of_many_at_the_same_moment_one_does_it(keys: Idempotency) -> None:
    tried = await asyncio.gather(*(keys.claim(_claim(), deadline=_soon()) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(each, KeyClaimed) for each in tried) == 1
    assert sum(isinstance(each, RequestInFlight) for each in tried) == 7
