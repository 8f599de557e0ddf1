"""Run `storage-index` when an index is behind: one process at a time, seldom, and none left behind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from pathlib import Path

log = logging.getLogger(__name__)

PAUSE_S = 30.0
"""Between two runs; after each failure twice as long, up to LONGEST_PAUSE_S."""
LONGEST_PAUSE_S = 3600.0
RUN_TIMEOUT_S = 6 * 3600.0
STOP_TIMEOUT_S = 5.0
TOLD_CHARACTERS = 500


class IndexKeeper:
    """Takes wishes, and fulfils them in the background."""

    def __init__(self, *, database_url: str, folder: Path, at_least_rows: int) -> None:
        self._environment = {"STORAGE_DATABASE_URL": database_url, "STORAGE_INDEX_DIR": str(folder)}
        self._at_least_rows = at_least_rows
        self._running: asyncio.Task[None] | None = None
        self._pause_s = PAUSE_S
        self._not_before = 0.0

    @property
    def is_running(self) -> bool:
        """Whether a run is under way."""
        return self._running is not None

    def wish(self) -> None:
        """Ask for a run; while one is under way, or was a moment ago, this is forgotten: it will be asked again."""
        if self._running is None and time.monotonic() >= self._not_before:
            self._running = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End a run that is under way; what it was writing is thrown away by the next."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> None:
        try:
            failure = await self._index()
            if failure is None:
                self._pause_s = PAUSE_S
            else:
                log.warning("index_not_written", extra={"reason": failure})
                self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            self._not_before = time.monotonic() + self._pause_s
        finally:
            self._running = None

    async def _index(self) -> str | None:
        """Run the command; return why it failed, or None."""
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "storage_service.index_building",
                "--at-least",
                str(self._at_least_rows),
                env=os.environ | self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
        except OSError as error:
            return f"storage-index cannot be started: {error.strerror}"
        try:
            async with asyncio.timeout(RUN_TIMEOUT_S):
                told, _ = await process.communicate()
        except TimeoutError:
            return "storage-index did not end"
        finally:
            await _end(process)
        text = told.decode(errors="replace").strip()[-TOLD_CHARACTERS:]
        if process.returncode:
            return text
        log.info("index_written", extra={"told": text})
        return None


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
