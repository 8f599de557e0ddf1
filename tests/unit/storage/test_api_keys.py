"""Keys are known by their hashes; what each sends in a day is counted once, whoever counts."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.deadline import Deadline
from shared.errors import NotFound
from shared.key_contracts import BytesSent, KeyCheck, KeyRecord, NewKey
from storage_service.api_keys import ApiKeys
from storage_service.database import Database
from storage_service.errors import KeyExists

ID = "0123456789ab"
SHA256 = hashlib.sha256(b"a key").hexdigest()
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(database: Database, clock: Clock) -> ApiKeys:
    return ApiKeys(database, now=clock)


def _soon() -> Deadline:
    return Deadline.after(60)


def _new(key_id: str = ID, **more: object) -> NewKey:
    return NewKey.model_validate({"id": key_id, "sha256": SHA256, "name": "laptop", "scope": "write", **more})


async def _check(keys: ApiKeys, key_id: str = ID, sha256: str = SHA256) -> KeyRecord:
    return await keys.check(KeyCheck(id=key_id, sha256=sha256), deadline=_soon())


async def _count(keys: ApiKeys, size_bytes: int, *, limit_bytes: int = 100, key_id: str = ID) -> tuple[bool, int]:
    day = await keys.count(key_id, BytesSent(size_bytes=size_bytes, limit_bytes=limit_bytes), deadline=_soon())
    return day.is_counted, day.sent_bytes


async def test_a_key_is_known_by_its_whole_hash_and_listed(keys: ApiKeys, clock: Clock) -> None:
    ends = NOON + timedelta(days=30)
    added = await keys.add(_new(expires_at=ends), deadline=_soon())
    clock.now += timedelta(seconds=1)
    await keys.add(_new("b" * 12, scope="read"), deadline=_soon())

    assert (added.id, added.created_at, added.last_used_at, added.expires_at) == (ID, NOON, None, ends)
    assert [key.id for key in await keys.all(deadline=_soon())] == [ID, "b" * 12]
    assert (await _check(keys)).scope == "write"
    for wrong in ((ID, "0" * 64), ("c" * 12, SHA256), (ID, SHA256[:-1] + "0")):
        with pytest.raises(NotFound):
            await _check(keys, *wrong)
    with pytest.raises(KeyExists):
        await keys.add(_new(name="again"), deadline=_soon())


async def test_nothing_but_the_hash_is_kept(keys: ApiKeys, engine: AsyncEngine) -> None:
    await keys.add(_new(), deadline=_soon())
    async with engine.connect() as connection:
        row = (await connection.execute(text("SELECT * FROM api_keys"))).mappings().one()
    assert set(row) == {"id", "sha256", "name", "scope", "created_at", "last_used_at", "expires_at", "revoked_at"}
    assert (row["id"], row["sha256"]) == (ID, SHA256)


async def test_its_last_use_is_noted_to_the_minute(keys: ApiKeys, clock: Clock) -> None:
    await keys.add(_new(), deadline=_soon())
    uses = []
    for seconds in (0, 59, 1):
        clock.now += timedelta(seconds=seconds)
        uses.append((await _check(keys)).last_used_at)
    assert uses == [NOON, NOON, NOON + timedelta(minutes=1)]
    assert [key.last_used_at for key in await keys.all(deadline=_soon())] == uses[-1:]


async def test_a_revoked_key_stays_revoked_since_the_first_time(keys: ApiKeys, clock: Clock) -> None:
    await keys.add(_new(), deadline=_soon())
    await keys.revoke(ID, deadline=_soon())
    clock.now += timedelta(hours=1)
    assert (await keys.revoke(ID, deadline=_soon())).revoked_at == NOON
    assert (await _check(keys)).revoked_at == NOON
    with pytest.raises(NotFound):
        await keys.revoke("c" * 12, deadline=_soon())


async def test_bytes_count_against_the_day_of_their_key_until_it_is_full(keys: ApiKeys, clock: Clock) -> None:
    assert await _count(keys, 0) == (True, 0)
    assert await _count(keys, 101) == (False, 0)
    assert await _count(keys, 60) == (True, 60)
    assert await _count(keys, 41) == (False, 60)
    assert await _count(keys, 40) == (True, 100)
    assert await _count(keys, 100, key_id="b" * 12) == (True, 100)
    assert await _count(keys, -30) == (True, 70)
    assert await _count(keys, 30) == (True, 100)

    clock.now = datetime(2026, 11, 26, 23, 59, 59, tzinfo=UTC)
    day = await keys.count(ID, BytesSent(size_bytes=1, limit_bytes=100), deadline=_soon())
    assert (day.is_counted, day.day_ends_in_s) == (False, 2)
    clock.now += timedelta(seconds=1)
    assert await _count(keys, 100) == (True, 100)


async def test_of_many_at_once_as_many_are_counted_as_fit(keys: ApiKeys) -> None:
    counted = await asyncio.gather(*(_count(keys, 10) for _ in range(15)))
    assert sum(is_counted for is_counted, _ in counted) == 10
    assert await _count(keys, 0) == (True, 100)


async def test_days_gone_by_are_forgotten(keys: ApiKeys, clock: Clock, engine: AsyncEngine) -> None:
    for _ in range(3):
        await _count(keys, 10)
        clock.now += timedelta(days=1)
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT COUNT(*) FROM key_uploads")) == 1
