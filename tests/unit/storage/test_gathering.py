"""Uploads that are stored together: each has the promises of one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.deadline import Deadline
from shared.errors import DeadlineExceeded
from shared.worker import BoundedWorker
from storage_service.archive import Archive
from storage_service.batch_storing import BatchStoring
from storage_service.database import Database
from storage_service.errors import HashMismatch, StorageUnavailable, TransactionUndone
from storage_service.gathering import RUNS_AT_ONCE, Gathering
from storage_service.image_store import ImageStore
from storage_service.repository import ImageRepository
from tests.unit.storage.samples import files_below, new_image, upload


@pytest.fixture
def gathering(database: Database, store: ImageStore, worker: BoundedWorker, archive: Archive) -> Gathering:
    return Gathering(BatchStoring(database, store, worker, archive))


@pytest.fixture
def commits(engine: AsyncEngine) -> Iterator[list[None]]:
    """One entry for each writing transaction that was committed."""
    seen: list[None] = []

    def note(connection: Connection) -> None:
        if "sqlite_begin" in connection.get_execution_options():
            seen.append(None)

    event.listen(engine.sync_engine, "commit", note)
    yield seen
    event.remove(engine.sync_engine, "commit", note)


def _content(number: int) -> bytes:
    return b"\xff\xd8 picture %d" % number


async def _add(gathering: Gathering, content: bytes, *, seconds: float = 30) -> tuple[str, bool]:
    record, is_new, _ = await gathering.add(upload(new_image(content), content), deadline=Deadline.after(seconds))
    return record.sha256, is_new


async def test_those_that_come_meanwhile_are_stored_together(
    gathering: Gathering, folder: Path, commits: list[None]
) -> None:
    stored = await asyncio.gather(*(_add(gathering, _content(number)) for number in range(20)))

    assert len(set(stored)) == 20
    assert all(is_new for _, is_new in stored)
    assert len(files_below(folder)) == 40
    assert len(commits) <= RUNS_AT_ONCE + 1


async def test_the_same_bytes_at_the_same_moment_are_stored_once(gathering: Gathering, folder: Path) -> None:
    stored = await asyncio.gather(*(_add(gathering, _content(number % 2)) for number in range(10)))

    assert sorted(is_new for _, is_new in stored) == [False] * 8 + [True] * 2
    assert len(files_below(folder)) == 4


async def test_one_that_is_refused_takes_no_other_with_it(gathering: Gathering) -> None:
    wrong = upload(new_image(b"what its record names"), b"something else")
    outcomes = await asyncio.gather(
        *(_add(gathering, _content(number)) for number in range(5)),
        gathering.add(wrong, deadline=Deadline.after(30)),
        *(_add(gathering, _content(number)) for number in range(5, 9)),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert [type(error) for error in refused] == [HashMismatch]
    assert len(outcomes) == 10


async def test_all_hear_that_nothing_could_be_kept(gathering: Gathering, database: Database, folder: Path) -> None:
    database.refuse("a test says so")
    outcomes = await asyncio.gather(*(_add(gathering, _content(number)) for number in range(5)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StorageUnavailable] * 5
    assert files_below(folder) == []

    database.admit()
    assert await _add(gathering, _content(0)) == (new_image(_content(0)).sha256, True)


class AwayDatabase(Database):
    """Cannot write, as when another process holds its lock, until `is_back`."""

    is_back = False

    @asynccontextmanager
    async def writing_rows(self) -> AsyncIterator[AsyncConnection]:
        if not self.is_back:
            raise TransactionUndone("another has the lock")
        async with super().writing_rows() as connection:
            yield connection


async def test_files_of_tries_that_were_undone_do_not_stay(
    engine: AsyncEngine, store: ImageStore, worker: BoundedWorker, folder: Path
) -> None:
    database = AwayDatabase(engine)
    archive = Archive(database, store, worker)
    gathering = Gathering(BatchStoring(database, store, worker, archive))
    with pytest.raises((TransactionUndone, DeadlineExceeded)):
        await _add(gathering, _content(0), seconds=0.5)
    await archive.finish()
    assert files_below(folder) == []

    database.is_back = True
    await _add(gathering, _content(0))
    assert len(files_below(folder)) == 2


class HeldDatabase(Database):
    """Lets no change begin before it is let."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self.let = asyncio.Event()

    @asynccontextmanager
    async def writing_rows(self) -> AsyncIterator[AsyncConnection]:
        await self.let.wait()
        async with super().writing_rows() as connection:
            yield connection


async def test_what_is_not_begun_in_time_is_dropped(
    engine: AsyncEngine, store: ImageStore, worker: BoundedWorker, folder: Path
) -> None:
    database = HeldDatabase(engine)
    archive = Archive(database, store, worker)
    gathering = Gathering(BatchStoring(database, store, worker, archive))
    first = [asyncio.create_task(_add(gathering, _content(number))) for number in range(RUNS_AT_ONCE)]
    await asyncio.sleep(0)  # each has begun a run of its own
    late = upload(new_image(_content(9)), _content(9))
    with pytest.raises(DeadlineExceeded, match="was not stored"):
        await gathering.add(late, deadline=Deadline.after(0.05))
    assert late.original.closed

    database.let.set()
    assert [is_new for _, is_new in await asyncio.gather(*first)] == [True] * RUNS_AT_ONCE
    assert len(files_below(folder)) == 2 * RUNS_AT_ONCE


class AskedDatabase(Database):
    """Counts what it is asked, and lets `before` happen first."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self.asked = 0
        self.before: Callable[[], Awaitable[None]] | None = None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ImageRepository]:
        self.asked += 1
        if self.before is not None:
            await self.before()
        async with super().reading() as images:
            yield images


async def test_one_by_itself_is_stored_without_asking_whether_it_is_known(
    engine: AsyncEngine, store: ImageStore, worker: BoundedWorker, folder: Path
) -> None:
    database = AskedDatabase(engine)
    gathering = Gathering(BatchStoring(database, store, worker, Archive(database, store, worker)))

    assert await _add(gathering, _content(0)) == (new_image(_content(0)).sha256, True)
    assert database.asked == 0

    filed = files_below(folder)
    first, is_new, _ = await gathering.add(upload(new_image(_content(0)), _content(0)), deadline=Deadline.after(30))
    assert not is_new
    assert files_below(folder) == filed
    assert str(first.id) in "".join(filed)


async def test_one_whose_bytes_are_deleted_while_it_finds_them_known_is_stored(
    engine: AsyncEngine, store: ImageStore, worker: BoundedWorker, folder: Path
) -> None:
    database = AskedDatabase(engine)
    archive = Archive(database, store, worker)
    gathering = Gathering(BatchStoring(database, store, worker, archive))
    there, *_ = await gathering.add(upload(new_image(_content(0)), _content(0)), deadline=Deadline.after(30))

    async def delete() -> None:
        database.before = None
        await archive.delete(there.id, deadline=Deadline.after(30))

    database.before = delete
    record, is_new, _ = await gathering.add(upload(new_image(_content(0)), _content(0)), deadline=Deadline.after(30))

    assert is_new
    assert record.id != there.id
    filed = files_below(folder)
    assert len(filed) == 2
    assert all(str(record.id) in file for file in filed)
