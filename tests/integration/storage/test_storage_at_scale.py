from __future__ import annotations

import asyncio
import math
import random
from pathlib import Path

from tests.bench.checking import checked, place_files
from tests.bench.storage_at_scale import fill, measure
from tests.unit.storage import databases

engine_url = databases.engine_url

CAPTIONS = ["a black dog runs", "a man on a unicycle", "two dogs and a man in the snow"]


async def test_the_measuring_at_scale_runs_through_at_toy_size(engine_url: str, tmp_path: Path) -> None:
    sizes = {"database_url": engine_url, "folder": tmp_path, "small": 300, "inserts": 20, "queries": 2}
    first = await asyncio.to_thread(measure, CAPTIONS, rows=600, **sizes)
    again = await asyncio.to_thread(measure, CAPTIONS, rows=900, resume=True, **sizes)

    measured = {line.what: line.value for line in first}
    assert measured["rows"] == 600
    assert {"search, common word, dog, newest, p95", "counts of labels, p95", "insert, ratio"} <= set(measured)
    assert any(what.startswith("page by label, ratio") for what in measured)
    assert all(math.isfinite(value) and value > 0 for value in measured.values())
    resumed = {line.what: line.value for line in again}
    assert resumed["rows"] == 900
    assert resumed["240 filled straight into the tables"] > 0  # 600, and twice 30 stored through HTTP
    assert "inserted through HTTP" in resumed
    assert "insert, ratio" not in resumed


async def test_the_measuring_of_storage_check_runs_through_at_toy_size(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/legenda.sqlite3"
    await fill(url, CAPTIONS, first=0, rows=30, drawn=random.Random(0))

    images = await place_files(url, tmp_path / "store")
    took_s, memory_mb, told = await asyncio.to_thread(checked, url, tmp_path, ["--quick"])

    assert images == 30
    assert took_s > 0
    assert memory_mb > 10
    assert told == "30 images and 60 files compared: nothing wrong."
