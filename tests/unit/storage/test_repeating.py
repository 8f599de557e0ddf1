"""Transactions that get in each other's way, or lose their connection, and what becomes of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts import Correction
from shared.deadline import Deadline
from shared.errors import DeadlineExceeded, NotFound
from shared.worker import BoundedWorker
from storage_service import repeating
from storage_service.archive import Archive
from storage_service.database import Database, open_engine
from storage_service.errors import OutcomeUnknown, StorageUnavailable, TransactionUndone
from storage_service.image_store import ImageStore
from storage_service.repeating import MOST_TRIES, pause, repeated
from storage_service.repository import ImageRepository
from storage_service.tables import Image
from tests.unit.storage.samples import add_rows, new_image, upload

MANY = "information_schema.columns"


class Failing:
    """Work that fails some times, and then is done."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.tries = 0

    async def __call__(self) -> str:
        self.tries += 1
        if self.failures:
            raise self.failures.pop(0)
        return "done"


@pytest.fixture
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeating, "FIRST_PAUSE_S", 0.0)


@pytest.fixture
async def mysql_engine(mysql_url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(mysql_url, statement_timeout_s=3.0)
    yield engine
    await engine.dispose()


@pytest.mark.usefixtures("_no_pauses")
async def test_what_was_undone_is_done_again() -> None:
    work = Failing(TransactionUndone("deadlock"), TransactionUndone("deadlock"))
    assert await repeated(work, deadline=Deadline.after(30)) == "done"
    assert work.tries == 3


@pytest.mark.usefixtures("_no_pauses")
async def test_it_is_given_up_after_some_tries() -> None:
    work = Failing(*[TransactionUndone("deadlock")] * 100)
    with pytest.raises(TransactionUndone):
        await repeated(work, deadline=Deadline.after(30))
    assert work.tries == MOST_TRIES


async def test_nothing_is_tried_again_past_the_deadline() -> None:
    work = Failing(TransactionUndone("deadlock"))
    with pytest.raises(TransactionUndone):
        await repeated(work, deadline=Deadline.after(0.0))
    assert work.tries == 1


@pytest.mark.parametrize("failure", [OutcomeUnknown("lost"), StorageUnavailable("stalled"), NotFound("no such image")])
async def test_what_may_have_been_kept_or_would_fail_again_is_not_repeated(failure: Exception) -> None:
    work = Failing(failure)
    with pytest.raises(type(failure)):
        await repeated(work, deadline=Deadline.after(30))
    assert work.tries == 1


def test_pauses_grow_to_a_bound_and_differ() -> None:
    assert 0.025 <= pause(1) <= 0.05
    assert all(0.5 <= pause(tries) <= 1.0 for tries in range(6, 60))
    assert len({pause(3) for _ in range(10)}) > 1


async def test_of_two_in_a_deadlock_the_loser_is_done_again_and_both_are_kept(mysql_engine: AsyncEngine) -> None:
    database = Database(mysql_engine)
    await add_rows(database, [new_image(b"a"), new_image(b"b")])
    first, second = await database.read(_seqs, deadline=Deadline.after(30))
    both_hold_one = asyncio.Barrier(2)
    tries = 0

    def changing(one: int, other: int) -> Callable[[], Awaitable[None]]:
        waits = True

        async def change() -> None:
            nonlocal tries, waits
            tries += 1
            async with database.writing() as images:
                await _widen(images, one)
                if waits:
                    waits = False
                    await both_hold_one.wait()
                await _widen(images, other)

        return change

    await asyncio.gather(
        repeated(changing(first, second), deadline=Deadline.after(30)),
        repeated(changing(second, first), deadline=Deadline.after(30)),
    )

    async with mysql_engine.connect() as connection:
        assert list(await connection.scalars(text("SELECT width FROM images"))) == [642, 642]
    assert tries == 3


async def test_a_change_waits_for_a_lock_that_another_holds_for_long(
    mysql_engine: AsyncEngine, store: ImageStore, worker: BoundedWorker, caplog: pytest.LogCaptureFixture
) -> None:
    archive = Archive(Database(mysql_engine), store, worker)
    record, _ = await archive.add(upload(new_image(b"a"), b"a"), deadline=Deadline.after(30))
    async with mysql_engine.connect() as holder:
        await holder.execute(text("SELECT 1 FROM images FOR UPDATE"))
        correcting = asyncio.create_task(
            archive.correct(record.id, Correction(label="meme"), deadline=Deadline.after(30))
        )
        while "transaction_repeated" not in caplog.messages:
            await asyncio.sleep(0.05)
        await holder.rollback()

    assert (await correcting).label.value == "meme"
    await archive.finish()


async def test_a_lost_connection_in_the_middle_is_made_good(mysql_engine: AsyncEngine) -> None:
    database = Database(mysql_engine)
    await add_rows(database, [new_image(b"a")])
    killed = False

    async def change() -> None:
        nonlocal killed
        async with database.writing() as images:
            [seq] = await _seqs(images)
            await _widen(images, seq)
            if not killed:
                killed = True
                await _kill_own(images, mysql_engine)
            await _widen(images, seq)

    await repeated(change, deadline=Deadline.after(30))

    async with mysql_engine.connect() as connection:
        assert list(await connection.scalars(text("SELECT width FROM images"))) == [642]


async def test_a_connection_that_is_lost_at_commit_leaves_the_outcome_unknown_and_is_not_repeated(
    mysql_engine: AsyncEngine,
) -> None:
    database = Database(mysql_engine)
    await add_rows(database, [new_image(b"a")])
    tries = 0

    async def change() -> None:
        nonlocal tries
        tries += 1
        async with database.writing() as images:
            [seq] = await _seqs(images)
            await _widen(images, seq)
            await _kill_own(images, mysql_engine)

    with pytest.raises(OutcomeUnknown, match="look whether it did"):
        await repeated(change, deadline=Deadline.after(30))
    assert tries == 1


async def test_rows_are_asked_for_again_when_the_connection_was_lost(mysql_engine: AsyncEngine) -> None:
    database = Database(mysql_engine)
    await add_rows(database, [new_image(b"a")])
    asked = []

    def width(connection: Connection) -> int | None:
        asked.append(connection.scalar(text("SELECT CONNECTION_ID()")))
        if len(asked) == 1:
            with contextlib.suppress(DBAPIError):  # so it tells whoever ends itself
                connection.execute(text(f"KILL {asked[0]}"))
        return connection.scalar(select(Image.width))

    assert await database.read_rows(width, deadline=Deadline.after(30)) == 640
    assert len(asked) == 2


async def test_no_statement_takes_longer_than_it_may(engine_url: str) -> None:
    engine = open_engine(engine_url, statement_timeout_s=0.5)
    try:
        database = Database(engine)
        endless = {
            "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
            "mysql": f"SELECT count(*) FROM {MANY} AS a, {MANY} AS b, {MANY} AS c",
        }

        with pytest.raises(StorageUnavailable):
            async with database.reading() as images:
                await images._session.execute(text(endless[database.dialect]))

        await database.ping()
    finally:
        await engine.dispose()


async def test_a_question_that_was_given_up_is_waited_for_at_the_end(database: Database) -> None:
    async def ponder(images: ImageRepository) -> None:
        await images._session.execute(select(1))
        await asyncio.Event().wait()

    with pytest.raises(DeadlineExceeded):
        await database.read(ponder, deadline=Deadline.after(0.2))
    assert len(asyncio.all_tasks()) > 1  # it closes its connection, which takes a moment
    await database.finish()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_session_is_strict_and_in_utc_whatever_the_server_is_set_to(mysql_engine: AsyncEngine) -> None:
    async with mysql_engine.connect() as connection:
        row = (
            await connection.execute(
                text("SELECT @@time_zone, @@sql_mode, @@character_set_client, @@innodb_lock_wait_timeout")
            )
        ).one()
    assert (row[0], row[2], row[3]) == ("+00:00", "utf8mb4", 1)
    assert "STRICT_ALL_TABLES" in row[1]


async def _seqs(images: ImageRepository) -> list[int]:
    return await images.seqs(select(Image).order_by(Image.seq))


async def _widen(images: ImageRepository, seq: int) -> None:
    await images._session.execute(update(Image).where(Image.seq == seq).values(width=Image.width + 1))


async def _kill_own(images: ImageRepository, engine: AsyncEngine) -> None:
    number = await images._session.scalar(text("SELECT CONNECTION_ID()"))
    async with engine.connect() as other:
        await other.execute(text(f"KILL {number}"))
