"""Start classify-service as a process of its own and stop it again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.live_platform import free_ports

START_TIMEOUT_S = 120


@contextmanager
def running_service(folder: Path, **environment: str) -> Iterator[httpx.Client]:
    """Run the service in `folder`, hand out a client once it is ready, and see it end well."""
    (port,) = free_ports(1)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "classify_service"],
            cwd=folder,
            env={**os.environ, "CLASSIFY_PORT": str(port), **environment},
            stderr=log,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
            _wait_until_ready(client, process)
            yield client
    finally:
        process.terminate()
        assert process.wait(20) == 0


def _wait_until_ready(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until:
        assert process.poll() is None, "the service ended while it started"
        try:
            if client.get("/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail("the service was not ready in time")
