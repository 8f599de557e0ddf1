"""Open SQLite or MySQL so that both keep what they are told, and no statement takes longer than it may.

Each limit stands twice: the server ends what takes long, and gives its locks back; the driver ends waiting for a
server that has stopped to answer.
"""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, PoolProxiedConnection, event, make_url
from sqlalchemy.connectors.asyncio import AsyncAdapt_dbapi_cursor
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.app import StartupError
from storage_service.sqlite_trips import READING, WRITING, OneTripConnection
from storage_service.statement_limit import StatementLimit

SQLITE_BUSY_TIMEOUT_S = 10.0
SQLITE_SWITCH_PAUSE_S = 0.01
SQLITE_STEPS_A_LOOK = 10_000
SQLITE_CACHE_KIB = 1024
"""Of each connection, of which there may be fifteen; twice as much made nothing faster."""
MYSQL_CONNECT_TIMEOUT_S = 5
MYSQL_LOCK_TIMEOUT_S = 5
MYSQL_GRACE_S = 2.0
"""The server says that a statement took too long; so much later the driver gives the server up."""
POOL_TIMEOUT_S = 10
MYSQL_SERVER_LOST = 2013  # the driver is loaded only where it is used

_DRIVERS = ("sqlite+aiosqlite", "mysql+asyncmy")


def open_engine(database_url: str, *, statement_timeout_s: float | None = None) -> AsyncEngine:
    """Return an engine; nothing is connected yet, but the folder of a SQLite file is made.

    Args:
        database_url: What STORAGE_DATABASE_URL says.
        statement_timeout_s: What takes longer fails; None, for migrations, lets each take its time.

    Raises:
        StartupError: the URL is not one of a database we can use.
    """
    url = read_url(database_url)
    if url.get_backend_name() == "sqlite":
        return _open_sqlite(url, statement_timeout_s)
    return _open_mysql(url, statement_timeout_s)


def for_writing(engine: AsyncEngine) -> AsyncEngine:
    """Return the same engine; on SQLite its transactions take the write lock when they begin, not in the middle."""
    return engine.execution_options(sqlite_begin=WRITING)


def _is_not_broken_off(record: logging.LogRecord) -> bool:
    """Pass over that a connection could not be rolled back because whoever used it was stopped: the pool drops it."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def _open_mysql(url: URL, statement_timeout_s: float | None) -> AsyncEngine:
    limits: dict[str, Any] = {}
    if statement_timeout_s is not None:
        limits = {"read_timeout": statement_timeout_s + MYSQL_GRACE_S}
    # The read view of each statement is enough for us, and locks no gaps between rows.
    engine = create_async_engine(
        url.update_query_dict({"charset": "utf8mb4"}),
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_timeout=POOL_TIMEOUT_S,
        connect_args={"connect_timeout": MYSQL_CONNECT_TIMEOUT_S, **limits},
    )

    pool = type(engine.pool)
    logging.getLogger(f"{pool.__module__}.{pool.__name__}").addFilter(_is_not_broken_off)  # as SQLAlchemy names it

    @event.listens_for(engine.sync_engine, "do_connect")
    def _connect(dialect: Any, _: object, arguments: Any, names: Any) -> Any:
        try:
            return dialect.connect(*arguments, **names)
        except RuntimeError as error:
            # So the driver says on uvloop that the server hung up before the driver could look at the socket.
            reason = f"Lost connection to MySQL server at once ({error})"
            raise dialect.loaded_dbapi.OperationalError(MYSQL_SERVER_LOST, reason) from error

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: PoolProxiedConnection, _: object) -> None:
        server = str(connection.driver_connection.get_server_info())  # type: ignore[union-attr]
        cursor = connection.cursor()
        cursor.execute(_session(statement_timeout_s, is_mariadb="MariaDB" in server))
        cursor.close()

    return engine


def _session(statement_timeout_s: float | None, *, is_mariadb: bool) -> str:
    """Return what makes a session the same whatever the server's own settings are: strict, in UTC, with limits."""
    values = {"time_zone": "'+00:00'", "sql_mode": "'TRADITIONAL'"}
    if statement_timeout_s is not None:
        # Well before the limit of the statement: who has waited for a lock may try again.
        lock_s = max(1, math.floor(min(MYSQL_LOCK_TIMEOUT_S, statement_timeout_s / 3)))
        values |= {"innodb_lock_wait_timeout": str(lock_s), "lock_wait_timeout": str(lock_s)}
        network_s = str(math.ceil(statement_timeout_s + MYSQL_GRACE_S))
        values |= {"net_read_timeout": network_s, "net_write_timeout": network_s}
        # MySQL limits what only reads; writing waits for locks alone, and these have their limit.
        if is_mariadb:
            values["max_statement_time"] = str(statement_timeout_s)
        else:
            values["max_execution_time"] = str(math.ceil(1000 * statement_timeout_s))
    return "SET " + ", ".join(f"SESSION {name} = {value}" for name, value in values.items())


def _open_sqlite(url: URL, statement_timeout_s: float | None) -> AsyncEngine:
    if url.database and url.database != ":memory:":
        try:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StartupError(f"the folder of {url.database} cannot be made: {error.strerror}") from error
    engine = create_async_engine(url, pool_timeout=POOL_TIMEOUT_S)
    busy_s = min(SQLITE_BUSY_TIMEOUT_S, statement_timeout_s or math.inf)

    @event.listens_for(engine.sync_engine, "do_connect")
    def _connect(dialect: Any, _: object, arguments: Any, names: Any) -> OneTripConnection:
        return OneTripConnection.of(dialect.connect(*arguments, **names))

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: OneTripConnection, _: object) -> None:
        connection.isolation_level = None  # we begin transactions ourselves
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={busy_s * 1000:.0f}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA cache_size=-{SQLITE_CACHE_KIB}")
        _use_write_ahead_log(cursor, busy_s)
        cursor.close()
        if statement_timeout_s is not None:
            connection.limit = StatementLimit(statement_timeout_s)
            _watch(connection, connection.limit.is_over)

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        driver.begin(connection.get_execution_options().get("sqlite_begin", READING))

    @event.listens_for(engine.sync_engine, "invalidate")
    def _stop(connection: OneTripConnection, *_: object) -> None:
        # Nobody waits any more, as when a request was cut off; the connection is closed once its thread is free.
        if connection.limit:
            connection.limit.end()

    return engine


def _watch(connection: OneTripConnection, is_over: Callable[[], bool]) -> None:
    """Let SQLite interrupt its work as soon as `is_over`."""
    connection.run_async(lambda driver: driver.set_progress_handler(is_over, SQLITE_STEPS_A_LOOK))


def _use_write_ahead_log(cursor: AsyncAdapt_dbapi_cursor, busy_s: float) -> None:
    """Switch the file to its write-ahead log; SQLite does not wait by itself while another connection does the same."""
    give_up = time.monotonic() + busy_s
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(SQLITE_SWITCH_PAUSE_S)
        else:
            return


def read_url(database_url: str) -> URL:
    """Return the URL of a database we can use; raise StartupError."""
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise StartupError("STORAGE_DATABASE_URL is not a database URL") from error
    if url.drivername not in _DRIVERS:
        raise StartupError(f"STORAGE_DATABASE_URL must begin with {' or '.join(_DRIVERS)}, not with {url.drivername}")
    return url
