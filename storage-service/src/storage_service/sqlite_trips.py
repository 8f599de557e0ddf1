"""Let a SQLite statement go to its connection's thread once, and not four times.

SQLite blocks, so aiosqlite gives each connection a thread; SQLAlchemy then sends it there to make a cursor, to execute,
to fetch and to close. Each trip wakes a thread and the event loop again, and a small statement takes less than that.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any

from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_cursor

Fetched = tuple[list[Any], Any, int, int | None]
"""Rows, their description, how many rows were changed, and the number of the last one inserted."""


class OneTripCursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor whose rows are all fetched when it has executed; its real one lives no longer than that."""

    __slots__ = ("_description", "_last_row", "_row_count")

    def __init__(self, connection: AsyncAdapt_aiosqlite_connection) -> None:
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
        await self._trip(lambda cursor: cursor.execute(operation, *given))

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> None:
        await self._trip(lambda cursor: cursor.executemany(operation, seq_of_parameters))

    async def _trip(self, execute: Callable[[sqlite3.Cursor], object]) -> None:
        driver: Any = self._connection

        def there() -> Fetched:
            cursor = driver._conn.cursor()
            try:
                execute(cursor)
                rows = cursor.fetchall() if cursor.description else []
                return rows, cursor.description, cursor.rowcount, cursor.lastrowid
            finally:
                cursor.close()

        async with self._adapt_connection._execute_mutex:
            rows, self._description, self._row_count, self._last_row = await driver._execute(there)
            self._rows = deque(rows)


class OneTripConnection(AsyncAdapt_aiosqlite_connection):
    """A connection with such cursors."""

    __slots__ = ()

    _cursor_cls: type[AsyncAdapt_aiosqlite_cursor] = OneTripCursor

    @classmethod
    def of(cls, connection: AsyncAdapt_aiosqlite_connection) -> OneTripConnection:
        """Take over a connection that nobody else uses."""
        return cls(connection.dbapi, connection._connection)
