from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from storage_service.app import create_app
from storage_service.settings import StorageSettings
from tests.unit.storage import databases

engine_url = databases.engine_url
bare_url = databases.bare_url
sqlite_template = databases.sqlite_template
mysql_databases = databases.mysql_databases
mysql_url = databases.mysql_url
bare_mysql_url = databases.bare_mysql_url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
async def storage(engine_url: str, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the real service, on its real database, through real HTTP."""
    settings = StorageSettings(
        database_url=engine_url,
        store_url=f"file://{folder}",
        index_dir=folder.parent / "index",
        body_limit_bytes=100_000,
    )
    with _running(settings) as base_url:
        async with httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=30) as client:
            yield client


@contextmanager
def _running(settings: StorageSettings) -> Iterator[str]:
    config = uvicorn.Config(create_app(settings), port=0, log_config=None, lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
