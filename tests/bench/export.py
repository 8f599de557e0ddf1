"""How much memory an export takes and how fast it goes: `python -m tests.bench.export [--megabytes 300] [--images 20]`.

Starts storage-service and the gateway as processes, stores images of random bytes, and exports all of them through the
gateway's public API. Memory is the resident set of each process, sampled each 50 ms, above what it was before.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from shared.contracts import NewImage
from tests.integration.gateway.processes import running
from tests.live_platform import free_ports

PREVIEW = b"\xff\xd8 a small picture"
SAMPLE_S = 0.05


@dataclass(frozen=True)
class Measured:
    """What an export took."""

    size_bytes: int
    took_s: float
    first_byte_s: float
    growth_bytes: dict[str, int]


@contextmanager
def services(folder: Path, **settings: str) -> Iterator[tuple[httpx.Client, httpx.Client, dict[str, psutil.Process]]]:
    """Start storage and the gateway; hand out a client of each, storage's first, and their processes."""
    ports = dict(zip(("storage", "gateway"), free_ports(2), strict=True))
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    environment = {
        "STORAGE_PORT": str(ports["storage"]),
        "STORAGE_STORE_URL": f"file://{folder / 'store'}",
        "STORAGE_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'legenda.sqlite3'}",
        "STORAGE_INDEX_DIR": str(folder / "index"),
        "GATEWAY_PORT": str(ports["gateway"]),
        "GATEWAY_STORAGE_URL": urls["storage"],
        **settings,
    }
    with (
        running("storage_service", folder, environment, urls["storage"]) as storage,
        running("gateway", folder, environment, urls["gateway"]) as gateway,
    ):
        own = {child.pid: child for child in psutil.Process().children()}
        named = {
            package: child
            for child in own.values()
            for package in ("storage_service", "gateway")
            if package in child.cmdline()
        }
        yield storage, gateway, named


def store_random(storage: httpx.Client, *, images: int, size_bytes: int) -> None:
    """Store images of random bytes; storage does not look into them."""
    for number in range(images):
        content = os.urandom(size_bytes)
        new = NewImage(
            filename=f"{number}.jpg",
            sha256=hashlib.sha256(content).hexdigest(),
            media_type="image/jpeg",
            width=1,
            height=1,
            classification=None,
            caption=None,
        )
        files = {"original": ("o", content, "image/jpeg"), "preview": ("p", PREVIEW, "image/jpeg")}
        answer = storage.post("/v1/images", data={"record": new.model_dump_json()}, files=files)
        answer.raise_for_status()


def export(gateway: httpx.Client, processes: dict[str, psutil.Process]) -> Measured:
    """Export everything once; the ZIP is read and thrown away."""
    before = {name: process.memory_info().rss for name, process in processes.items()}
    highest, done = dict(before), threading.Event()

    def sample() -> None:
        while not done.wait(SAMPLE_S):
            for name, process in processes.items():
                highest[name] = max(highest[name], process.memory_info().rss)

    sampling = threading.Thread(target=sample)
    sampling.start()
    started_s, first_s, size_bytes, last = time.monotonic(), 0.0, 0, b""
    try:
        with gateway.stream("GET", "/api/v1/export") as response:
            response.raise_for_status()
            for piece in response.iter_raw():
                first_s = first_s or time.monotonic() - started_s
                size_bytes += len(piece)
                last = (last + piece)[-22:]
    finally:
        done.set()
        sampling.join()
    assert last.startswith(b"PK\x05\x06"), "the ZIP has no end"
    growth = {name: highest[name] - before[name] for name in processes}
    return Measured(size_bytes, time.monotonic() - started_s, first_s, growth)


def main() -> None:
    """Measure and print one row each time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=300, help="of all images together (default: 300)")
    parser.add_argument("--images", type=int, default=20, help="how many (default: 20)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="legenda-bench-") as folder, services(Path(folder)) as running_services:
        storage, gateway, processes = running_services
        store_random(storage, images=options.images, size_bytes=options.megabytes * 2**20 // options.images)
        print("| export | ZIP | took | first byte after | storage grew | gateway grew |")
        print("|---|---|---|---|---|---|")
        for number in (1, 2):
            one = export(gateway, processes)
            grown = [f"{one.growth_bytes[name] / 2**20:.1f} MB" for name in ("storage_service", "gateway")]
            zip_mb = f"{one.size_bytes / 2**20:.0f} MB"
            print(
                f"| {number} | {zip_mb} | {one.took_s:.1f} s | {1000 * one.first_byte_s:.0f} ms | {' | '.join(grown)} |"
            )


if __name__ == "__main__":
    main()
