"""Single services as processes, without a supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

START_TIMEOUT_S = 180.0


@contextmanager
def running(package: str, folder: Path, environment: dict[str, str], address: str) -> Iterator[httpx.Client]:
    """Start a service, wait until it is live, and stop it with SIGTERM at the end; it must exit cleanly."""
    log = folder / f"{package}.log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", package], cwd=folder, env=os.environ | environment, stderr=stderr
        )
    with httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
        try:
            _wait_until_live(client, process, log)
            yield client
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


def _wait_until_live(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + START_TIMEOUT_S
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < give_up, log.read_text()
        try:
            if client.get("/health/live").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
