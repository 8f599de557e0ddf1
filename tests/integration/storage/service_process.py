"""storage-service as a process of its own, whose health and log a test looks at."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.integration.storage.live_service import live_service
from tests.unit.storage.samples import PREVIEW, new_image

PATIENCE_S = 60.0


@dataclass(frozen=True)
class ServiceProcess:
    """A running service."""

    pid: int
    http: httpx.Client
    log: Path
    store: Path

    def wait(self, is_so: Callable[[], bool]) -> None:
        """Return as soon as something is so."""
        give_up = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < give_up, self.log.read_text()
            time.sleep(0.05)

    def is_live(self) -> bool:
        try:
            return self.http.get("/health/live").is_success
        except httpx.TransportError:
            return False

    def is_ready(self) -> bool:
        return self.http.get("/health/ready").is_success

    def told(self, event: str) -> list[dict[str, object]]:
        """Return what was logged of an event."""
        lines = (json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{"))
        return [line for line in lines if line["event"] == event]

    def upload(self, content: bytes, **headers: str) -> httpx.Response:
        return self.http.post(
            "/v1/images",
            data={"record": new_image(content).model_dump_json()},
            files={"original": ("o", content), "preview": ("p", PREVIEW)},
            headers=headers,
        )


@contextmanager
def health_watched_service(folder: Path, **settings: str) -> Iterator[ServiceProcess]:
    """Start a service in a folder, and wait until it is live; it must stop cleanly, whatever became of its database."""
    with (
        live_service(folder, **settings) as running,
        httpx.Client(base_url=running.url, timeout=60, trust_env=False) as http,
    ):
        service = ServiceProcess(running.process.pid, http, running.log_file, folder / ".data/store")
        service.wait(service.is_live)
        yield service
        running.process.terminate()
        assert running.process.wait(60) == 0, running.log
