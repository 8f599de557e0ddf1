"""The short form of `python -m tests.chaos.overload`, on services of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.overload import run
from tests.live_platform import running_platform


@pytest.mark.timeout(600)
async def test_ten_times_the_capacity_is_refused_honestly_and_what_is_taken_is_done(tmp_path: Path) -> None:
    with running_platform(tmp_path) as platform:
        outcome = await run(platform, seconds=5, measuring_s=6, deadline_s=10)
    # What is a rate needs a machine of its own and more time than this: only the full form holds the goodput.
    faults = outcome.faults(goodput=0.0, late=1.5)
    assert not faults, f"{outcome}\n{faults}"
    assert outcome.statuses[201] > 0
