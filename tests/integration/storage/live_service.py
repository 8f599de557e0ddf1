"""The real storage-service as a process, to be stopped, killed and started again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.live_platform import free_ports

TIMEOUT_S = 120


@dataclass(frozen=True)
class LiveService:
    """A running service."""

    url: str
    process: subprocess.Popen[str]
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8")

    def wait_until_answering(self) -> None:
        """Wait until it answers, whether it is ready or not."""
        self._wait_for("/health/live")

    def wait_until_ready(self) -> None:
        self._wait_for("/health/ready")

    def _wait_for(self, path: str) -> None:
        give_up = time.monotonic() + TIMEOUT_S
        while time.monotonic() < give_up:
            assert self.process.poll() is None, self.log
            try:
                if httpx.get(f"{self.url}{path}", trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"{path} did not answer 200:\n{self.log}")


def environment(**settings: str) -> dict[str, str]:
    """Return this process' environment with these settings of storage, and no other."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("STORAGE_")}
    return {**others, **{f"STORAGE_{name.upper()}": value for name, value in settings.items()}}


@contextmanager
def live_service(folder: Path, *, within: Sequence[str] = (), **settings: str) -> Iterator[LiveService]:
    """Start the service in a folder, and kill it at the end.

    Args:
        folder: Its current folder; `storage.log` is appended to there.
        within: A command that runs the service's command, such as `unshare`.
        settings: As in the environment, without STORAGE_.
    """
    port = free_ports(1)[0]
    log_file = folder / "storage.log"
    with log_file.open("a") as log:
        process = subprocess.Popen(
            [*within, sys.executable, "-m", "storage_service"],
            cwd=folder,
            env=environment(port=str(port), **settings),
            stdout=log,
            stderr=log,
            text=True,
        )
    with process:
        try:
            yield LiveService(f"http://127.0.0.1:{port}", process, log_file)
        finally:
            process.kill()
