from __future__ import annotations

import asyncio
import math
from pathlib import Path

from tests.bench.storage_at_scale import measure
from tests.unit.storage import databases

engine_url = databases.engine_url

CAPTIONS = ["a black dog runs", "a man on a unicycle", "two dogs and a man in the snow"]


async def test_the_measuring_at_scale_runs_through_at_toy_size(engine_url: str, tmp_path: Path) -> None:
    lines = await asyncio.to_thread(
        measure, CAPTIONS, database_url=engine_url, folder=tmp_path, rows=900, small=300, inserts=20, queries=2
    )

    measured = {line.what: line.value for line in lines}
    assert measured["rows"] == 900
    assert {"search, common word, dog, newest, p95", "counts of labels, p95", "insert, ratio"} <= set(measured)
    assert any(what.startswith("page by label, ratio") for what in measured)
    assert all(math.isfinite(value) and value > 0 for value in measured.values())
