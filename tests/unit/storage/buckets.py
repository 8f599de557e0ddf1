"""A real S3 server for tests, moto's, in a process of its own; each test has a bucket of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from storage_service.bucket_store import BucketAccess
from tests.live_platform import free_ports

START_TIMEOUT_S = 60
TIMEOUT_S = 2.0


@dataclass(frozen=True)
class S3Server:
    """The running server."""

    url: str
    process: subprocess.Popen[bytes]

    @property
    def access(self) -> BucketAccess:
        return BucketAccess(
            endpoint_url=self.url, access_key_id="legenda", secret_access_key="s3cret-key", timeout_s=TIMEOUT_S
        )

    def new_bucket(self) -> str:
        name = f"legenda-{uuid4().hex}"
        self.make(name)
        return name

    def make(self, bucket: str) -> None:
        httpx.put(f"{self.url}/{bucket}", trust_env=False).raise_for_status()

    def drop(self, bucket: str) -> None:
        """Remove an empty bucket."""
        httpx.delete(f"{self.url}/{bucket}", trust_env=False).raise_for_status()

    def refuse(self) -> None:
        """Answer every request with 403 from now on, as a server does whose keys were changed."""
        self._let("0")

    def admit(self) -> None:
        self._let("inf")

    def stall(self) -> None:
        """Take connections, but answer nothing any more."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def _let(self, requests: str) -> None:
        httpx.post(f"{self.url}/moto-api/reset-auth", content=requests, trust_env=False).raise_for_status()


@pytest.fixture(scope="session")
def running_s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    port = free_ports(1)[0]
    log = tmp_path_factory.mktemp("s3") / "server.log"
    with log.open("wb") as output, _process(port, output.fileno()) as process:
        server = S3Server(f"http://127.0.0.1:{port}", process)
        try:
            _wait_until_up(server, log)
            yield server
        finally:
            process.kill()


@pytest.fixture
def s3_server(running_s3_server: S3Server) -> Iterator[S3Server]:
    """The server, in order again after the test."""
    yield running_s3_server
    running_s3_server.go_on()
    running_s3_server.admit()


def _process(port: int, output: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)],
        stdout=output,
        stderr=output,
        env=os.environ | {"AWS_EC2_METADATA_DISABLED": "true"},
    )


def _wait_until_up(server: S3Server, log: Path) -> None:
    give_up = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < give_up:
        assert server.process.poll() is None, log.read_text(encoding="utf-8")
        try:
            httpx.get(f"{server.url}/moto-api/", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the S3 server did not start")
