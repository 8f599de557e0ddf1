"""Let a SQLite statement go to its connection's thread once, and not four times; BEGIN goes with the first of them.

SQLite blocks, so aiosqlite gives each connection a thread; SQLAlchemy then sends it there to begin, to make a cursor,
to execute, to fetch, to close and to end. Each trip wakes a thread and the event loop again, and a small statement
takes less than that.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any

from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_cursor

from storage_service.statement_limit import StatementLimit

log = logging.getLogger(__name__)

READING, WRITING = "BEGIN", "BEGIN IMMEDIATE"

Fetched = tuple[list[Any], Any, int, int | None]
"""Rows, their description, how many rows were changed, and the number of the last one inserted."""


class OneTripCursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor whose rows are all fetched when it has executed; its real one lives no longer than that."""

    __slots__ = ("_description", "_last_row", "_row_count")

    _adapt_connection: OneTripConnection

    def __init__(self, connection: OneTripConnection) -> None:
        self._adapt_connection = connection
        self._connection = connection._connection
        self._rows: deque[Any] = deque()
        self._description: Any = None
        self._row_count = -1
        self._last_row: int | None = None

    @property
    def description(self) -> Any:
        """Of the rows' columns, as PEP 249 has it."""
        return self._description

    @property
    def rowcount(self) -> int:
        """Rows that were changed."""
        return self._row_count

    @property
    def lastrowid(self) -> Any:
        """The number of the row inserted last."""
        return self._last_row

    def close(self) -> None:
        """Let the rows go."""
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """Keep the rows; there is nothing else to close."""

    async def _execute_async(self, operation: Any, parameters: Any) -> None:
        given = () if parameters is None else (parameters,)
        await self._trip(operation, lambda cursor: cursor.execute(operation, *given))

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> None:
        await self._trip(operation, lambda cursor: cursor.executemany(operation, seq_of_parameters))

    async def _trip(self, operation: str, execute: Callable[[sqlite3.Cursor], object]) -> None:
        fetched = await self._adapt_connection.trip(operation, execute)
        rows, self._description, self._row_count, self._last_row = fetched
        self._rows = deque(rows)


class OneTripConnection(AsyncAdapt_aiosqlite_connection):
    """A connection with such cursors, whose transaction begins with its first statement.

    What only read ends on the way: the connection's thread does one thing after the other, so whoever comes next finds
    it ended. What may have written anything is waited for.
    """

    __slots__ = ("_begin", "_is_open", "_only_reads", "limit")

    _cursor_cls: Any = OneTripCursor

    def __init__(self, dbapi: Any, connection: Any) -> None:
        super().__init__(dbapi, connection)
        self.limit: StatementLimit | None = None
        """What its statements may take."""
        self._begin: str | None = None  # still to be executed
        self._is_open = False  # there, or it may be
        self._only_reads = False

    @classmethod
    def of(cls, connection: AsyncAdapt_aiosqlite_connection) -> OneTripConnection:
        """Take over a connection that nobody else uses."""
        return cls(connection.dbapi, connection._connection)

    def begin(self, statement: str) -> None:
        """Begin a transaction, READING or WRITING, as soon as there is a statement for it."""
        self._begin = statement
        self._only_reads = statement == READING and not self._is_open

    def commit(self) -> None:
        """Keep what was written."""
        if self._must_end():
            super().commit()
            self._is_open = False

    def rollback(self) -> None:
        """Keep nothing."""
        if self._must_end():
            super().rollback()
            self._is_open = False

    async def trip(self, operation: str, execute: Callable[[sqlite3.Cursor], object]) -> Fetched:
        """Begin if need be, execute and fetch, all in the connection's thread."""
        driver: Any = self._connection
        begin, self._begin = self._begin, None
        # Of what else may read, such as WITH, some may write.
        self._only_reads = self._only_reads and operation.startswith("SELECT")

        def there() -> Fetched:
            nonlocal begin
            connection = driver._conn
            cursor = connection.cursor()
            try:
                if begin is not None:
                    cursor.execute(begin)
                    begin = None
                if self.limit is not None:
                    self.limit.start()
                execute(cursor)
                rows = cursor.fetchall() if cursor.description else []
                return rows, cursor.description, cursor.rowcount, cursor.lastrowid
            finally:
                cursor.close()
                self._is_open = connection.in_transaction

        async with self._execute_mutex:
            self._is_open = True  # until its thread says otherwise
            try:
                fetched: Fetched = await driver._execute(there)
            except sqlite3.Error:
                self._begin = begin  # if that failed it is tried again: no statement goes without its transaction
                raise
        return fetched

    def _must_end(self) -> bool:
        """Say whether there is a transaction to be ended and waited for."""
        self._begin = None
        if not (self._is_open and self._only_reads):
            return self._is_open
        driver: Any = self._connection
        self._is_open = False
        if driver._connection:
            driver._tx.put_nowait((None, lambda: _let_go(driver._conn)))
        return False


def _let_go(connection: sqlite3.Connection) -> None:
    """End a transaction that only read, in the connection's thread; the next statement fails if that failed."""
    try:
        connection.rollback()
    except sqlite3.Error as error:
        log.error("transaction_not_ended", extra={"reason": str(error)})
