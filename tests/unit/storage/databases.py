"""The databases that storage is tested on: SQLite, and the MySQL that `tests.mysql_server` finds.

Each test has a database that nothing has been written to. The migrations are applied once on each: SQLite's file is
copied; a database of MySQL is emptied after a test, or dropped where the test has left other tables or does not let go.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from sqlalchemy import URL, Row, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from storage_service import schema
from storage_service.database import open_engine
from tests.mysql_server import MySqlServer

DIALECTS = ("sqlite", "mysql")
EMPTYING_TIMEOUT_S = 5

Result = TypeVar("Result")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables and nothing in them."""
    file = tmp_path_factory.mktemp("template") / "legenda.sqlite3"
    _in_its_own_loop(_migrate(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def mysql_databases(mysql: MySqlServer) -> Iterator[MySqlDatabases]:
    databases = MySqlDatabases(make_url(mysql.url))
    yield databases
    _in_its_own_loop(databases.close())


@pytest.fixture(params=DIALECTS)
async def engine_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A database with this version's tables, and nothing in them."""
    if request.param == "sqlite":
        file = tmp_path / "legenda.sqlite3"
        file.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        yield f"sqlite+aiosqlite:///{file}"
        return
    async with request.getfixturevalue("mysql_databases").migrated() as url:
        yield url


@pytest.fixture(params=DIALECTS)
async def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A database without any table."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'bare.sqlite3'}"
        return
    async with request.getfixturevalue("mysql_databases").bare() as url:
        yield url


@pytest.fixture
async def mysql_url(mysql_databases: MySqlDatabases) -> AsyncIterator[str]:
    """What `engine_url` is on MySQL."""
    async with mysql_databases.migrated() as url:
        yield url


@pytest.fixture
async def bare_mysql_url(mysql_databases: MySqlDatabases) -> AsyncIterator[str]:
    """What `bare_url` is on MySQL."""
    async with mysql_databases.bare() as url:
        yield url


@dataclass
class MySqlDatabases:
    """Databases on one server."""

    server: URL
    _migrated: list[str] = field(default_factory=list)
    _tables: dict[str, str] = field(default_factory=dict)
    _rows: dict[str, list[Row[Any]]] = field(default_factory=dict)

    @asynccontextmanager
    async def bare(self) -> AsyncIterator[str]:
        """Make a database, and drop it."""
        name = await self._create()
        try:
            yield self._url(name)
        finally:
            await self._drop(name)

    @asynccontextmanager
    async def migrated(self) -> AsyncIterator[str]:
        """Lend a database with this version's tables and what the migrations wrote to them."""
        name = self._migrated.pop() if self._migrated else await self._make()
        try:
            yield self._url(name)
        finally:
            if await self._emptied(name):
                self._migrated.append(name)
            else:
                await self._drop(name)

    async def close(self) -> None:
        for name in self._migrated:
            await self._drop(name)

    async def _make(self) -> str:
        name = await self._create()
        await _migrate(self._url(name))
        if not self._tables:
            async with self._connection(name) as connection:
                self._tables = await _tables(connection)
                self._rows = {table: await _rows(connection, table) for table in self._tables}
        return name

    async def _emptied(self, name: str) -> bool:
        """Bring a database back to what the migrations made; False where that cannot be."""
        try:
            async with self._connection(name) as connection:
                await connection.execute(text(f"SET lock_wait_timeout={EMPTYING_TIMEOUT_S}"))
                await connection.execute(text(f"SET innodb_lock_wait_timeout={EMPTYING_TIMEOUT_S}"))
                if await _tables(connection) != self._tables:
                    return False
                await connection.execute(text("SET foreign_key_checks=0"))
                for table, made in self._tables.items():
                    await self._refill(connection, table, is_numbered="AUTO_INCREMENT" in made)
                now = {table: await _rows(connection, table) for table in self._tables}
        except DBAPIError:
            return False
        return now == self._rows  # a trigger may have written to a table that was emptied before

    async def _refill(self, connection: AsyncConnection, table: str, *, is_numbered: bool) -> None:
        if await _rows(connection, table) == self._rows[table]:
            return
        await connection.execute(text(f"DELETE FROM `{table}`"))
        for row in self._rows[table]:
            columns = {f"c{number}": value for number, value in enumerate(row)}
            values = ", ".join(f":{column}" for column in columns)
            await connection.execute(text(f"INSERT INTO `{table}` VALUES ({values})"), columns)
        if is_numbered:
            await connection.execute(text(f"ALTER TABLE `{table}` AUTO_INCREMENT=1"))

    async def _create(self) -> str:
        name = f"legenda_test_{uuid4().hex}"
        async with self._connection() as connection:
            await connection.execute(text(f"CREATE DATABASE {name} CHARACTER SET utf8mb4"))
        return name

    async def _drop(self, name: str) -> None:
        async with self._connection() as connection:
            await connection.execute(text(f"DROP DATABASE {name}"))

    def _url(self, name: str) -> str:
        return self.server.set(database=name).render_as_string(hide_password=False)

    @asynccontextmanager
    async def _connection(self, name: str | None = None) -> AsyncIterator[AsyncConnection]:
        url = self.server.set(database=name) if name else self.server
        engine = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        try:
            async with engine.connect() as connection:
                yield connection
        finally:
            await engine.dispose()


async def _migrate(url: str) -> None:
    engine = open_engine(url)
    try:
        await schema.upgrade(engine)
    finally:
        await engine.dispose()


async def _tables(connection: AsyncConnection) -> dict[str, str]:
    """Return how each table is made, and which triggers there are."""
    names = list(await connection.scalars(text("SHOW TABLES")))
    made = {name: (await connection.execute(text(f"SHOW CREATE TABLE `{name}`"))).one()[1] for name in names}
    return {name: re.sub(r" AUTO_INCREMENT=\d+", "", statement) for name, statement in made.items()}


async def _rows(connection: AsyncConnection, table: str) -> list[Row[Any]]:
    return list((await connection.execute(text(f"SELECT * FROM `{table}` LIMIT 1000"))).all())


def _in_its_own_loop(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine beside the test's own event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
