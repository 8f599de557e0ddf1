from __future__ import annotations

from pathlib import Path

from storage_service import schema
from storage_service.database import open_engine
from tests.chaos.storage_kills import run

KILLS = 3


async def test_kills_lose_nothing_that_was_acknowledged_and_leave_only_what_a_repair_clears(
    engine_url: str, tmp_path: Path
) -> None:
    """The short form of `python -m tests.chaos.storage_kills`."""
    engine = open_engine(engine_url)
    await schema.upgrade(engine)
    await engine.dispose()

    outcome = run(KILLS, engine_url, tmp_path)

    assert outcome.is_good, str(outcome)
    assert outcome.kills == KILLS
    assert outcome.acknowledged["upload"] > 0
