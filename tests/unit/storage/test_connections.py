"""What the connections' pool complains of reaches the log, but for what is no fault."""

from __future__ import annotations

import asyncio

import pytest

from storage_service.connections import open_engine


@pytest.mark.parametrize(
    ("error", "is_told"), [(asyncio.CancelledError(), False), (RuntimeError("the server hung up"), True)]
)
async def test_a_connection_that_was_broken_off_is_no_fault(
    error: BaseException, is_told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    engine = open_engine("mysql+asyncmy://nobody@127.0.0.1:1/none")
    engine.pool.logger.error("Exception during reset or similar", exc_info=error)
    await engine.dispose()
    assert bool(caplog.records) is is_told
