"""The databases that storage is tested on: SQLite always, MySQL where LEGENDA_TEST_MYSQL_URL names a server.

Each test has a database of its own.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

MYSQL_URL = os.environ.get("LEGENDA_TEST_MYSQL_URL")


@pytest.fixture(params=["sqlite", "mysql"] if MYSQL_URL else ["sqlite"])
async def engine_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'legenda.sqlite3'}"
        return
    assert MYSQL_URL is not None
    async with _mysql_database(make_url(MYSQL_URL)) as url:
        yield url.render_as_string(hide_password=False)


@asynccontextmanager
async def _mysql_database(server: URL) -> AsyncIterator[URL]:
    name = f"legenda_test_{uuid4().hex}"
    admin = create_async_engine(server, isolation_level="AUTOCOMMIT")
    try:
        async with admin.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {name} CHARACTER SET utf8mb4"))
            try:
                yield server.set(database=name)
            finally:
                await connection.execute(text(f"DROP DATABASE {name}"))
    finally:
        await admin.dispose()
