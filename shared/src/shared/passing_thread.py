"""Run what happens once, as the loading of a model, on a thread that ends with it.

A thread that has computed by OpenMP keeps helpers of its own for as long as it lives. The thread that loaded a model
would keep some that never compute again, and OpenMP, which counts more threads than processors then, would let those
that do compute sleep after every layer: the encoder took a tenth longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


async def in_passing_thread(call: Callable[[], Result]) -> Result:
    """Return what `call` returns, or raise what it raises; the thread it ran on is gone then."""
    thread = ThreadPoolExecutor(1, thread_name_prefix="once")
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, call)
    finally:
        thread.shutdown(wait=False)
