"""Start all containers under a name of their own, on a free port, and leave nothing of them behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.live_platform import ROOT, free_ports

BUILD_TIMEOUT_S = 1500
START_TIMEOUT_S = 300
COMMAND_TIMEOUT_S = 120
STOP_TIMEOUT_S = 180


@dataclass(frozen=True)
class Stack:
    """The running containers."""

    project: str
    port: int
    secrets: Path
    settings: dict[str, str] = field(default_factory=dict)
    """Variables of docker-compose.yml, COMPOSE_PROFILES among them."""

    @property
    def key(self) -> str:
        """The first key."""
        return (self.secrets / "admin_key").read_text(encoding="ascii").strip()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *arguments: str, timeout_s: float = COMMAND_TIMEOUT_S) -> str:
        """Run `docker compose`; return what it prints; raise with all it said when it fails."""
        environment = os.environ | {
            "GATEWAY_PORT": str(self.port),
            "LEGENDA_SECRETS": str(self.secrets),
            **self.settings,
        }
        return _run(["docker", "compose", "--project-name", self.project, *arguments], timeout_s, environment)

    def inspect(self, service: str) -> dict[str, Any]:
        """Return what the engine knows of a service's container."""
        container = self.compose("ps", "--all", "--quiet", service).strip()
        return json.loads(_run(["docker", "inspect", container], COMMAND_TIMEOUT_S))[0]

    def python(self, service: str, code: str) -> str:
        """Run Python in a service's running container."""
        return self.compose("exec", "-T", service, "python", "-c", code).strip()


@contextmanager
def running_containers() -> Iterator[Stack]:
    """Build and start everything, wait until the gateway is ready, and remove containers, networks and volumes."""
    with built_containers() as stack:
        with _timed("started"):
            stack.compose("up", "--detach", timeout_s=START_TIMEOUT_S)
            wait_until_ready(stack)
        yield stack


@contextmanager
def built_containers(*services: str, **settings: str) -> Iterator[Stack]:
    """Build images, all where none is named; remove what was started of them, with networks and volumes."""
    folder = tempfile.mkdtemp(prefix="legenda-secrets-")
    stack = Stack(
        project=f"legenda-test-{uuid4().hex[:8]}",
        port=free_ports(1)[0],
        secrets=Path(folder) / "secrets",
        settings=settings,
    )
    _run(["sh", str(ROOT / "deploy" / "make-secrets.sh"), folder], COMMAND_TIMEOUT_S)
    try:
        with _timed("built"):
            stack.compose("build", *services, timeout_s=BUILD_TIMEOUT_S)
        yield stack
    except BaseException:
        print(stack.compose("ps", "--all"), stack.compose("logs", "--tail=40"))  # noqa: T201
        raise
    finally:
        with _timed("removed"):
            stack.compose("down", "--volumes", "--remove-orphans", timeout_s=STOP_TIMEOUT_S)
        shutil.rmtree(folder)


def wait_until_ready(stack: Stack) -> None:
    """Return when the gateway is ready."""
    give_up = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            httpx.get(f"{stack.url}/health/ready", timeout=5).raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.5)
        else:
            return


@contextmanager
def _timed(done: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    print(f"containers {done} in {time.monotonic() - started:.0f} s", flush=True)  # noqa: T201


def _run(command: list[str], timeout_s: float, environment: dict[str, str] | None = None) -> str:
    result = subprocess.run(
        command, cwd=ROOT, env=environment, timeout=timeout_s, check=False, capture_output=True, text=True
    )
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {result.returncode}:\n{result.stdout}\n{result.stderr}")
    return result.stdout
