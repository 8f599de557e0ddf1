"""Bring the database's tables to what this version needs: at the service's start on SQLite, by command on MySQL."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.app import StartupError
from storage_service.database import for_writing, open_engine
from storage_service.settings import StorageSettings

LOCK_TIMEOUT_S = 60


async def upgrade(engine: AsyncEngine, revision: str = "head") -> None:
    """Apply the migrations up to a revision; of several processes at once, one does and the others find it done."""
    await _locked(engine, lambda config: command.upgrade(config, revision))


async def downgrade(engine: AsyncEngine, revision: str) -> None:
    """Take migrations back to a revision; `base` drops every table."""
    await _locked(engine, lambda config: command.downgrade(config, revision))


async def require_current(engine: AsyncEngine) -> None:
    """Raise StartupError unless the tables are what this version needs."""
    async with engine.connect() as connection:
        found = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    needed = _head()
    if found != needed:
        raise StartupError(f"the database has schema {found or 'none'}, but {needed} is needed: run storage-migrate")


async def bring_up_to_date(engine: AsyncEngine) -> None:
    """Migrate the embedded database to this version; a server's is whoever runs it to do.

    Raises:
        StartupError: the database cannot be used, or a server's has another schema.
    """
    with _unusable():
        if engine.dialect.name == "sqlite":
            await upgrade(engine)
        else:
            await require_current(engine)


async def check_is_current(engine: AsyncEngine) -> None:
    """Change nothing; raise StartupError as `bring_up_to_date` does, also where the embedded one is not current."""
    with _unusable():
        await require_current(engine)


def main() -> None:
    """Run `storage-migrate`."""
    parser = argparse.ArgumentParser(
        prog="storage-migrate",
        description="Bring the database that STORAGE_DATABASE_URL names to the schema of this version.",
        epilog="Example: STORAGE_DATABASE_URL=mysql+asyncmy://legenda:secret@127.0.0.1/legenda storage-migrate",
    )
    parser.add_argument("--down-to", metavar="REVISION", help="take migrations back instead; 'base' drops all tables")
    down_to = parser.parse_args().down_to
    logging.getLogger("asyncmy").setLevel(logging.ERROR)  # it repeats MySQL's notes about how it makes an index
    try:
        asyncio.run(_migrate(StorageSettings().database_url, down_to=down_to))
        sys.stdout.write(f"The database has schema {down_to or _head()}.\n")
    except StartupError as error:
        sys.exit(f"storage-migrate cannot run: {error}")


@contextmanager
def _unusable() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise StartupError(f"the database cannot be used: {error.orig}") from error


async def _migrate(database_url: str, *, down_to: str | None) -> None:
    engine = open_engine(database_url)
    try:
        await (downgrade(engine, down_to) if down_to else upgrade(engine))
    except DBAPIError as error:
        raise StartupError(f"the database refused: {error.orig}") from error
    finally:
        await engine.dispose()


async def _locked(engine: AsyncEngine, work: Callable[[Config], None]) -> None:
    """Run one Alembic command: SQLite in one exclusive transaction, MySQL, which has none for tables, under a lock."""
    async with for_writing(engine).begin() as connection:
        if connection.dialect.name == "mysql":
            taken = await connection.scalar(text("SELECT GET_LOCK('legenda-migrate', :s)"), {"s": LOCK_TIMEOUT_S})
            if not taken:
                raise StartupError(f"another storage-migrate has been at work for {LOCK_TIMEOUT_S} s")
        else:
            await connection.execute(text("SELECT 1"))  # takes the lock, before Alembic begins to think
        await connection.run_sync(_run, work)
        if connection.dialect.name == "mysql":
            await connection.execute(text("SELECT RELEASE_LOCK('legenda-migrate')"))


def _run(connection: Connection, work: Callable[[Config], None]) -> None:
    config = _config()
    config.attributes["connection"] = connection
    work(config)


def scripts() -> ScriptDirectory:
    """Return the migrations."""
    return ScriptDirectory.from_config(_config())


def _head() -> str | None:
    return scripts().get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "storage_service:migrations")
    return config
