"""Restart each service in turn while clients upload, read and correct: no request may fail.

    python -m tests.chaos.rolling_restart --rounds 3

The clients are what we ask ours to be: they come back on 503, after `Retry-After`, and when the gateway's port refuses
them. Everything else is a failure: another status, a connection that breaks in the middle, an acknowledged image that
is not there, a service that takes longer to stop than it may.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from shared.serving import FORCED_EXIT_CODE
from tests.live_platform import ROOT, SERVICES, free_ports, platform_environment
from tests.pictures import photo_bytes

CLIENTS = 4
PATIENCE_S = 90.0
"""So long a client comes back; a service takes its time to load its model on a busy machine."""
READY_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 15.0
"""A service's own limit is 10 s; what is above it is the machine's."""
LONGEST_WAIT_S = 2.0
PACKAGES = {name: name if name == "gateway" else f"{name}_service" for name in SERVICES}


class Service:
    """One process, started again and again on the same port."""

    def __init__(self, name: str, port: int, folder: Path, environment: dict[str, str]) -> None:
        self.name = name
        self.url = f"http://127.0.0.1:{port}"
        self._log = folder / f"{name}.log"
        self._environment = os.environ | environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", PACKAGES[self.name]], cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )

    async def stop(self) -> tuple[int, float]:
        """Return the exit code, and how long it took."""
        process, started = self._running(), time.perf_counter()
        process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(process.wait, 60), time.perf_counter() - started

    async def wait_until_ready(self) -> None:
        give_up = time.monotonic() + READY_TIMEOUT_S
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            while True:
                if self._running().poll() is not None or time.monotonic() > give_up:
                    raise RuntimeError(f"{self.name} does not start:\n{self._log.read_text()[-3000:]}")
                try:
                    if (await client.get("/health/ready", timeout=10)).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process


@dataclass
class Outcome:
    """What came of it."""

    restarts: int = 0
    forced: int = 0
    """Of them, those that took their whole time; on a busy machine a picture may take as long."""
    answered: Counter[str] = field(default_factory=Counter)
    came_back: Counter[str] = field(default_factory=Counter)
    """Why clients had to ask again."""
    stop_s: dict[str, float] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        took = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self.stop_s.items())
        return "\n".join(
            [
                f"load of the machine     {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
                f"restarts                {self.restarts}, {self.forced} forced",
                f"answered                {dict(self.answered)}",
                f"asked again             {dict(self.came_back)}",
                f"slowest stop            {took}",
                f"failures                {len(self.failures)} {' '.join(self.failures[:5])}".rstrip(),
            ]
        )


class Client:
    """Uploads, reads and corrects, one after the other, until told to stop."""

    def __init__(self, url: str, outcome: Outcome) -> None:
        self._http = httpx.AsyncClient(base_url=url, trust_env=False, timeout=60)
        self._outcome = outcome
        self.locations: dict[str, bytes] = {}

    async def work(self, enough: asyncio.Event) -> None:
        async with self._http:
            while not enough.is_set():
                await self._round()
                await asyncio.sleep(0.05)
            for location, image in self.locations.items():
                content = await self._ask("check", "GET", f"{location}/content")
                if content is not None and content.content != image:
                    self._outcome.failures.append(f"{location} has other bytes")

    async def _round(self) -> None:
        image = photo_bytes() + uuid.uuid4().bytes
        key = {"Idempotency-Key": uuid.uuid4().hex}
        stored = await self._ask("upload", "POST", "/api/v1/images", files={"file": ("a.jpg", image)}, headers=key)
        if stored is None:
            return
        self.locations[stored.headers["location"]] = image
        await self._ask("read", "GET", stored.headers["location"])
        await self._ask("correct", "PATCH", stored.headers["location"], json={"label": "my_dogs"})
        await self._ask("list", "GET", "/api/v1/images?limit=5")
        await self._ask("count", "GET", "/api/v1/labels")

    async def _ask(self, what: str, method: str, path: str, **request: object) -> httpx.Response | None:
        give_up = time.monotonic() + PATIENCE_S
        reason = ""
        while time.monotonic() < give_up:
            try:
                response = await self._http.request(method, path, **request)  # type: ignore[arg-type]
            except httpx.ConnectError:
                self._outcome.came_back["refused"] += 1
                await asyncio.sleep(0.1)
                continue
            except httpx.TransportError as error:
                at = datetime.now(UTC).isoformat(timespec="milliseconds")
                self._outcome.failures.append(f"{what} at {at}: {error!r}")
                return None
            if response.is_success:
                self._outcome.answered[what] += 1
                return response
            reason = f"{response.status_code} {response.text}"
            # A request with a key may also find its earlier self in flight.
            if response.status_code not in {503, 409}:
                break
            self._outcome.came_back[response.json()["code"]] += 1
            await asyncio.sleep(min(LONGEST_WAIT_S, float(response.headers["retry-after"])))
        self._outcome.failures.append(f"{what}: {reason}")
        return None


@contextmanager
def _services(folder: Path) -> Iterator[dict[str, Service]]:
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    environment = platform_environment(folder, ports)
    services = {name: Service(name, port, folder, environment) for name, port in ports.items()}
    try:
        for service in services.values():
            service.start()
        yield services
    finally:
        for service in services.values():
            service.kill()


async def run(folder: Path, *, rounds: int, together: tuple[tuple[str, ...], ...]) -> Outcome:
    """Restart the services so often, those of a group at the same time, and return what came of it."""
    outcome, enough = Outcome(), asyncio.Event()
    with _services(folder) as services:
        await asyncio.gather(*(service.wait_until_ready() for service in services.values()))
        clients = [Client(services["gateway"].url, outcome) for _ in range(CLIENTS)]
        working = [asyncio.create_task(client.work(enough)) for client in clients]
        for _ in range(rounds):
            for group in together:
                await asyncio.gather(*(_restart(services[name], outcome) for name in group))
        enough.set()
        await asyncio.gather(*working)
    return outcome


async def _restart(service: Service, outcome: Outcome) -> None:
    code, took_s = await service.stop()
    outcome.restarts += 1
    outcome.stop_s[service.name] = max(took_s, outcome.stop_s.get(service.name, 0))
    outcome.forced += code == FORCED_EXIT_CODE
    if code not in {0, FORCED_EXIT_CODE} or took_s > STOP_TIMEOUT_S:
        outcome.failures.append(f"{service.name} ended with {code} after {took_s:.1f} s")
    service.start()
    await service.wait_until_ready()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos.rolling_restart",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=3, help="restarts of each service (default: %(default)s)")
    options = parser.parse_args()
    one_by_one = tuple((name,) for name in SERVICES)
    with tempfile.TemporaryDirectory(prefix="legenda-chaos-") as folder:
        outcome = asyncio.run(run(Path(folder), rounds=options.rounds, together=one_by_one))
    print(outcome)
    if outcome.failures:
        sys.exit(1)


if __name__ == "__main__":
    main()
