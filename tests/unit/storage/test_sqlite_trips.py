"""SQLite's transactions: how often they go to their connection's thread, and that they keep what they must."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage_service.connections import for_writing, open_engine
from storage_service.database import Database
from storage_service.errors import StorageUnavailable, TransactionUndone

WITHOUT_END = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"


@dataclass
class Thread:
    """What goes to the threads of an engine's connections."""

    trips: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)

    def clear(self) -> None:
        self.trips.clear()
        self.statements.clear()


@dataclass
class _Queue:
    queue: Any
    trips: list[str]

    def put_nowait(self, item: tuple[asyncio.Future[Any] | None, Any]) -> None:
        self.trips.append("left" if item[0] is None else "waited for")
        self.queue.put_nowait(item)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "animals.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE animals (name TEXT PRIMARY KEY)")
    return file


@pytest.fixture
def thread() -> Thread:
    return Thread()


@pytest.fixture
async def engine(file: Path, thread: Thread) -> AsyncIterator[AsyncEngine]:
    """One with an open connection."""
    engine = open_engine(f"sqlite+aiosqlite:///{file}", statement_timeout_s=0.3)

    @event.listens_for(engine.sync_engine, "connect")
    def spy(connection: Any, _: object) -> None:
        driver = connection._connection
        driver._conn.set_trace_callback(lambda said: thread.statements.append(said.strip()))
        driver._tx = _Queue(driver._tx, thread.trips)

    async with engine.connect():
        thread.clear()
    yield engine
    await engine.dispose()


@pytest.fixture
def other(file: Path) -> Iterator[sqlite3.Connection]:
    """Another process, as it were."""
    with closing(sqlite3.connect(file, isolation_level=None, timeout=0)) as connection:
        yield connection


def _names(other: sqlite3.Connection) -> list[str]:
    return [name for (name,) in other.execute("SELECT name FROM animals ORDER BY name")]


async def _insert(connection: AsyncConnection, *names: str) -> None:
    for name in names:
        await connection.execute(text("INSERT INTO animals VALUES (:name)"), {"name": name})


async def _insert_all(engine: AsyncEngine, *names: str) -> None:
    async with for_writing(engine).begin() as connection:
        await _insert(connection, *names)


async def _insert_nested(connection: AsyncConnection, *names: str) -> None:
    async with connection.begin_nested():
        await _insert(connection, *names)


async def test_reading_is_one_trip_and_its_end_is_not_waited_for(engine: AsyncEngine, thread: Thread) -> None:
    async with engine.begin() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1
    assert thread.trips == ["waited for", "left"]

    async with engine.connect() as connection:  # the same, which does one thing after the other
        await connection.scalar(text("SELECT 2"))
    assert thread.trips == ["waited for", "left"] * 2
    assert thread.statements[:5] == ["BEGIN", "SELECT 1", "ROLLBACK", "BEGIN", "SELECT 2"]


async def test_writing_begins_with_its_first_statement_and_its_commit_is_waited_for(
    engine: AsyncEngine, thread: Thread, other: sqlite3.Connection
) -> None:
    async with for_writing(engine).begin() as connection:
        await _insert(connection, "dog")
        assert thread.statements == ["BEGIN IMMEDIATE", "INSERT INTO animals VALUES ('dog')"]
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        await connection.execute(text("INSERT INTO animals VALUES (:name)"), [{"name": "cat"}, {"name": "eel"}])

    assert _names(other) == ["cat", "dog", "eel"]
    assert thread.trips == ["waited for"] * 3


async def test_a_writing_transaction_that_only_looks_gives_its_lock_back_before_anyone_goes_on(
    engine: AsyncEngine, other: sqlite3.Connection
) -> None:
    async with for_writing(engine).begin() as connection:
        await connection.scalar(text("SELECT 1"))

    other.execute("BEGIN IMMEDIATE")


@pytest.mark.parametrize("is_writing", [False, True])
async def test_a_transaction_without_statements_goes_nowhere(
    engine: AsyncEngine, thread: Thread, is_writing: bool
) -> None:
    chosen = for_writing(engine) if is_writing else engine
    async with chosen.begin():
        pass
    async with chosen.connect() as connection:
        await connection.begin()

    assert thread.trips == []


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO animals VALUES ('dog')",
        "insert into animals values ('dog') RETURNING name",
        "WITH new AS (SELECT 'dog') INSERT INTO animals SELECT * FROM new",
        " /* new */ INSERT INTO animals VALUES ('dog')",
    ],
)
async def test_what_was_written_in_a_transaction_begun_for_reading_is_committed_with_care(
    engine: AsyncEngine, thread: Thread, other: sqlite3.Connection, statement: str
) -> None:
    async with engine.begin() as connection:
        await connection.scalar(text("SELECT count(*) FROM animals"))
        await connection.execute(text(statement))
        await connection.scalar(text("SELECT count(*) FROM animals"))

    assert _names(other) == ["dog"]
    assert thread.trips == ["waited for"] * 4


async def test_what_is_undone_is_undone_before_anyone_goes_on(engine: AsyncEngine, other: sqlite3.Connection) -> None:
    with pytest.raises(IntegrityError):
        await _insert_all(engine, "dog", "dog")

    other.execute("BEGIN IMMEDIATE")
    assert _names(other) == []


async def test_savepoints_are_kept_and_undone(engine: AsyncEngine, other: sqlite3.Connection) -> None:
    async with engine.begin() as connection:
        await _insert_nested(connection, "dog")
        with pytest.raises(IntegrityError):
            await _insert_nested(connection, "cat", "dog")
        await _insert(connection, "eel")

    assert _names(other) == ["dog", "eel"]


async def test_a_lock_that_another_has_is_told_as_before(engine: AsyncEngine, other: sqlite3.Connection) -> None:
    database = Database(engine)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(TransactionUndone, match="others changed the same images"):
        async with database.writing() as images:
            await images.session.execute(text("INSERT INTO animals VALUES ('dog')"))

    other.execute("ROLLBACK")
    assert _names(other) == []


async def test_no_statement_goes_without_its_transaction(engine: AsyncEngine, other: sqlite3.Connection) -> None:
    other.execute("BEGIN IMMEDIATE")
    async with for_writing(engine).connect() as connection:
        with pytest.raises(OperationalError, match="locked"):
            await _insert(connection, "dog")
        other.execute("ROLLBACK")
        await _insert(connection, "cat")
        assert _names(other) == []
        await connection.rollback()

    assert _names(other) == []


async def test_a_statement_that_takes_too_long_ends_and_the_next_has_its_own_time(
    engine: AsyncEngine, other: sqlite3.Connection
) -> None:
    async with engine.connect() as connection:
        with pytest.raises(OperationalError, match="interrupted"):
            await connection.scalar(text(f"{WITHOUT_END} SELECT max(x) FROM n"))
    with pytest.raises(StorageUnavailable):
        async with Database(engine).writing() as images:
            await images.session.execute(text(f"{WITHOUT_END} INSERT INTO animals SELECT x FROM n"))

    async with for_writing(engine).begin() as connection:
        await connection.scalar(text(f"{WITHOUT_END} SELECT count(*) FROM (SELECT x FROM n LIMIT 20000)"))
        await _insert(connection, "dog")
    assert _names(other) == ["dog"]


@pytest.mark.parametrize("statement", ["INSERT INTO animals VALUES ('dog')", f"{WITHOUT_END} SELECT max(x) FROM n"])
async def test_a_transaction_that_is_cut_off_while_it_begins_keeps_nothing(
    engine: AsyncEngine, thread: Thread, other: sqlite3.Connection, statement: str
) -> None:
    async def write() -> None:
        async with for_writing(engine).begin() as connection:
            await connection.execute(text(statement))

    other.execute("BEGIN IMMEDIATE")
    task = asyncio.create_task(write())
    while not thread.trips:  # it is on its way, and waits for the lock there
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    other.execute("ROLLBACK")
    with pytest.raises(asyncio.CancelledError):
        await task

    assert _names(other) == []
    await _insert_all(engine, "cat")
    assert _names(other) == ["cat"]


async def test_an_end_that_fails_is_logged_and_whoever_comes_next_is_told(
    engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(engine)
    async with engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.set_authorizer(_no_rollback)
        await connection.scalar(text("SELECT 1"))
    await driver.set_authorizer(None)
    [told] = [record for record in caplog.records if record.message == "transaction_not_ended"]
    assert told.reason == "not authorized"  # type: ignore[attr-defined]

    with pytest.raises(StorageUnavailable):
        await database.ping()
    await database.ping()


def _no_rollback(action: int, what: str | None, *_: object) -> int:
    is_one = action == sqlite3.SQLITE_TRANSACTION and what == "ROLLBACK"
    return sqlite3.SQLITE_DENY if is_one else sqlite3.SQLITE_OK
