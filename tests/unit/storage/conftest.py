from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.worker import BoundedWorker
from storage_service.archive import Archive
from storage_service.database import Database, open_engine
from storage_service.image_store import ImageStore, open_store
from tests.unit.storage import buckets, databases

engine_url = databases.engine_url
bare_url = databases.bare_url
sqlite_template = databases.sqlite_template
mysql_databases = databases.mysql_databases
mysql_url = databases.mysql_url
running_s3_server = buckets.running_s3_server
s3_server = buckets.s3_server


@pytest.fixture
async def engine(engine_url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(engine_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def database(engine: AsyncEngine) -> Database:
    return Database(engine)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path) -> ImageStore:
    return open_store(f"file://{folder}")


@pytest.fixture
def worker() -> Iterator[BoundedWorker]:
    worker = BoundedWorker("test", threads=2, waiting=100)
    yield worker
    worker.close()


@pytest.fixture
async def archive(database: Database, store: ImageStore, worker: BoundedWorker) -> AsyncIterator[Archive]:
    archive = Archive(database, store, worker)
    yield archive
    await archive.finish()
