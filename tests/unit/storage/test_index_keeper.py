from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from storage_service.database import Database
from storage_service.index_keeper import IndexKeeper
from tests.unit.storage.embedded import add_embedded, directions


async def _settled(keeper: IndexKeeper) -> None:
    while keeper.is_running:
        await asyncio.sleep(0.02)


def _written(folder: Path) -> list[Path]:
    return list(folder.glob("*.usearch"))


async def test_a_wish_writes_the_index_in_another_process(
    database: Database, engine_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await add_embedded(database, directions(5))
    caplog.set_level(logging.INFO)
    keeper = IndexKeeper(database_url=engine_url, folder=tmp_path / "index", at_least_rows=1)

    keeper.wish()
    keeper.wish()
    await _settled(keeper)
    keeper.wish()

    assert not keeper.is_running, "it pauses after a run"
    assert len(_written(tmp_path / "index")) == 1
    assert [record.message for record in caplog.records if record.name.endswith("index_keeper")] == ["index_written"]


async def test_a_failure_is_logged_with_its_reason_and_the_service_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keeper = IndexKeeper(database_url="oracle://x", folder=tmp_path, at_least_rows=1)

    keeper.wish()
    await _settled(keeper)

    (record,) = [record for record in caplog.records if record.message == "index_not_written"]
    assert "must begin with sqlite" in record.__dict__["reason"]


async def test_closing_ends_a_run_and_leaves_no_index_that_could_be_taken_for_one(
    database: Database, engine_url: str, tmp_path: Path
) -> None:
    await add_embedded(database, directions(5))
    keeper = IndexKeeper(database_url=engine_url, folder=tmp_path / "index", at_least_rows=1)

    keeper.wish()
    await asyncio.sleep(0)
    await keeper.close()

    assert not keeper.is_running
    assert not list((tmp_path / "index").glob("*.json")) or _written(tmp_path / "index")
