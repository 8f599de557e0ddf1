"""Start the real services with their real models, as `make run` does, on free ports and in a folder of their own."""

from __future__ import annotations

import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 60.0
PORTS = range(20_000, 32_000)
"""Below those that Linux gives to clients, and above those that a browser refuses."""
PORTS_EACH = 1_000
_TAKEN = itertools.count(random.randrange(PORTS_EACH))
SERVICES = ("gateway", "caption", "classify", "storage")


@dataclass(frozen=True)
class Platform:
    """The running services."""

    url: str
    folder: Path
    process: subprocess.Popen[str]
    service_urls: dict[str, str]

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def output(self) -> str:
        return (self.folder / "output.txt").read_text(encoding="utf-8")

    @property
    def logs(self) -> str:
        return "\n".join(file.read_text(encoding="utf-8") for file in sorted((self.folder / "logs").glob("*.log")))


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now, none that was returned lately.

    They are not the kernel's choice: it gives those to clients, too, and one could have it before the service does.
    """
    own = _own_ports()
    with ExitStack() as stack:
        found: list[int] = []
        while len(found) < count:
            port = own[next(_TAKEN) % len(own)]
            each = stack.enter_context(socket.socket())
            with suppress(OSError):  # another program's
                each.bind(("127.0.0.1", port))
                found.append(port)
        return found


def _own_ports() -> range:
    """Return the ports of this process, of which each of pytest's workers has others."""
    shares = len(PORTS) // PORTS_EACH
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    share = (1 + int(worker.removeprefix("gw") or -1)) % shares
    return PORTS[share * PORTS_EACH : (share + 1) * PORTS_EACH]


def platform_environment(folder: Path, ports: dict[str, int]) -> dict[str, str]:
    """Return the settings that keep a platform to `folder` and `ports`."""
    return (
        {f"{service.upper()}_PORT": str(port) for service, port in ports.items()}
        | {f"GATEWAY_{name.upper()}_URL": f"http://127.0.0.1:{ports[name]}" for name in SERVICES[1:]}
        | {
            "STORAGE_STORE_URL": f"file://{folder / 'store'}",
            "STORAGE_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'legenda.sqlite3'}",
            "STORAGE_INDEX_DIR": str(folder / "index"),
            "LEGENDA_LOGS": str(folder / "logs"),
        }
    )


def launch(folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """Run what `make run` runs; its output goes to `output.txt` in the folder."""
    with (folder / "output.txt").open("w", encoding="utf-8") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "gateway.launch"],
            cwd=ROOT,
            env=os.environ | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )


@contextmanager
def running_platform(folder: Path) -> Iterator[Platform]:
    """Start all services, wait until the gateway is ready, and stop them as Ctrl-C does."""
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    process = launch(folder, platform_environment(folder, ports))
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    platform = Platform(urls["gateway"], folder, process, urls)
    try:
        _wait_until_ready(platform)
        yield platform
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def _wait_until_ready(platform: Platform) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while "Open http" not in platform.output:
        if platform.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the services did not start:\n{platform.output}\n{platform.logs[-4000:]}")
        time.sleep(0.2)
    httpx.get(f"{platform.url}/health/ready", timeout=10).raise_for_status()
