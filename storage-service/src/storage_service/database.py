"""Open SQLite or MySQL so that both keep what they are told, and hand out transactions."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import URL, Connection, PoolProxiedConnection, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from shared.app import StartupError
from storage_service import postings
from storage_service.errors import StorageUnavailable
from storage_service.repository import ImageRepository

log = logging.getLogger(__name__)

SQLITE_BUSY_TIMEOUT_MS = 10_000
SQLITE_SWITCH_PAUSE_S = 0.01
MYSQL_CONNECT_TIMEOUT_S = 5
POOL_TIMEOUT_S = 10

_DRIVERS = ("sqlite+aiosqlite", "mysql+asyncmy")


class Database:
    """Transactions on one engine; whatever keeps the server from answering is StorageUnavailable."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._reading = engine
        self._writing = for_writing(engine)
        self.dialect = engine.dialect.name
        # SQLite lets the others wait asleep, in no order; our own need not.
        self._turn = asyncio.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ImageRepository]:
        """Begin a transaction that changes nothing."""
        async with _transaction(self._reading) as images:
            yield images

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[ImageRepository]:
        """Begin a transaction that is committed at the end, and rolled back by any exception."""
        async with self._turn, _transaction(self._writing) as images:
            yield images

    async def ping(self) -> None:
        """Raise StorageUnavailable unless the database answers."""
        with _failures():
            async with self._reading.connect() as connection:
                await connection.execute(text("SELECT 1"))


def open_engine(database_url: str) -> AsyncEngine:
    """Return an engine; nothing is connected yet, but the folder of a SQLite file is made.

    Raises:
        StartupError: the URL is not one of a database we can use.
    """
    url = _read_url(database_url)
    if url.get_backend_name() == "sqlite":
        return _open_sqlite(url)
    # The read view of each statement is enough for us, and locks no gaps between rows.
    return create_async_engine(
        url.update_query_dict({"charset": "utf8mb4"}),
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_timeout=POOL_TIMEOUT_S,
        connect_args={"connect_timeout": MYSQL_CONNECT_TIMEOUT_S},
    )


def for_writing(engine: AsyncEngine) -> AsyncEngine:
    """Return the same engine; on SQLite its transactions take the write lock when they begin, not in the middle."""
    return engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")


def _open_sqlite(url: URL) -> AsyncEngine:
    if url.database and url.database != ":memory:":
        try:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StartupError(f"the folder of {url.database} cannot be made: {error.strerror}") from error
    engine = create_async_engine(url, pool_timeout=POOL_TIMEOUT_S)

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: PoolProxiedConnection, _: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]  # we begin transactions ourselves
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA foreign_keys=ON")
        _use_write_ahead_log(cursor)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))

    return engine


def _use_write_ahead_log(cursor: DBAPICursor) -> None:
    """Switch the file to its write-ahead log; SQLite does not wait by itself while another connection does the same."""
    give_up = time.monotonic() + SQLITE_BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > give_up:
                raise
            time.sleep(SQLITE_SWITCH_PAUSE_S)
        else:
            return


def _read_url(database_url: str) -> URL:
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise StartupError("STORAGE_DATABASE_URL is not a database URL") from error
    if url.drivername not in _DRIVERS:
        raise StartupError(f"STORAGE_DATABASE_URL must begin with {' or '.join(_DRIVERS)}, not with {url.drivername}")
    return url


class _IndexedSession(Session):
    """A session that keeps what finds images in step with their rows, whoever changes them."""


event.listen(_IndexedSession, "after_flush", postings.keep_in_step)


@asynccontextmanager
async def _transaction(engine: AsyncEngine) -> AsyncIterator[ImageRepository]:
    with _failures():
        session = AsyncSession(engine, sync_session_class=_IndexedSession, expire_on_commit=False)
        async with session, session.begin():
            yield ImageRepository(session)


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        log.error("database_failed", extra={"reason": str(getattr(error, "orig", error))})
        raise StorageUnavailable("the database does not answer; try again shortly") from error
