"""What happens once leaves no thread behind."""

from __future__ import annotations

import threading

import pytest

from shared.passing_thread import in_passing_thread


async def test_the_thread_ends_with_the_call() -> None:
    thread = await in_passing_thread(threading.current_thread)
    thread.join(30)
    assert thread is not threading.main_thread()
    assert not thread.is_alive()


async def test_what_is_raised_arrives() -> None:
    def load() -> None:
        raise LookupError("no model")

    with pytest.raises(LookupError, match="no model"):
        await in_passing_thread(load)
