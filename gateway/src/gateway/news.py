"""Wake whoever waits for something, however many they are, so that nobody need look again and again."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class News:
    """That something happened; who does not wait at that moment does not hear of it."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def tell(self) -> None:
        """Wake all who wait."""
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self, *, at_most_s: float) -> None:
        """Return at the next news, or after `at_most_s` all the same."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._next.wait()
