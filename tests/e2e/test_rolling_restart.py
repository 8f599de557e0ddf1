"""The short form of `python -m tests.chaos.rolling_restart`, with the real services and models."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.rolling_restart import run

AT_ONCE = (("storage",), ("caption", "classify", "gateway"))


@pytest.mark.timeout(600)
async def test_every_service_is_restarted_under_load_and_no_request_fails(tmp_path: Path) -> None:
    outcome = await run(tmp_path, rounds=1, together=AT_ONCE)
    assert not outcome.failures, str(outcome)
    assert outcome.restarts == 4
    assert min(outcome.answered[what] for what in ("upload", "read", "correct", "list", "check")) > 0
