"""What a server must have: processor time and memory of each service, and bytes kept, for each photo uploaded.

    python -m tests.bench.sizes PHOTOS --images 200

Real services on SQLite, one upload after the other, so that models look at one image at a time. Processor time (user,
system; of a service and its children) is counted rather than the clock, which tells more of what else the machine does;
the first photos are left out.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import httpx
import psutil

from tests.bench.upload_load import processes, upload
from tests.live_platform import SERVICES, Platform, running_platform

TO_WARM_UP = 10
COMPLETE_WITHIN_S = 300


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sizes", description=__doc__)
    parser.add_argument("photos", type=Path, help="folder of JPEGs")
    parser.add_argument("--images", type=int, default=200)
    options = parser.parse_args()
    files = sorted(options.photos.glob("*.jpg"))[: TO_WARM_UP + options.images]
    with tempfile.TemporaryDirectory(prefix="legenda-bench-") as folder, running_platform(Path(folder)) as platform:
        _upload_all(platform, files[:TO_WARM_UP])
        before = {service: _cpu_s(platform, service) for service in SERVICES}
        stored_before = _stored_bytes(platform)
        began = time.monotonic()
        _upload_all(platform, files[TO_WARM_UP:])
        clock_s = time.monotonic() - began
        spent = {service: _cpu_s(platform, service) - before[service] for service in SERVICES}
        kept = _stored_bytes(platform) - stored_before
        images = len(files) - TO_WARM_UP
        originals = sum(file.stat().st_size for file in files[TO_WARM_UP:])
        print(f"{images} photos in {clock_s:.0f} s, load {psutil.getloadavg()[0]:.1f} on {psutil.cpu_count()} cores")
        for service in SERVICES:
            ms = 1000 * spent[service] / images
            print(
                f"{service:<10}{ms:>8.1f} ms of processor an image{_most_memory_mb(platform, service):>8.0f} MB at most"
            )
        all_s = sum(spent.values())
        print(f"{'all':<10}{1000 * all_s / images:>8.1f} ms, {images / all_s:.1f} images a second and core")
        print(
            f"originals {originals / images / 1e3:.1f} kB an image, previews {(kept - originals) / images / 1e3:.1f} kB"
        )
        database = sum(file.stat().st_size for file in Path(folder).glob("legenda.sqlite3*"))
        print(f"SQLite with {len(files)} images: {database / 1e6:.1f} MB")


def _upload_all(platform: Platform, files: list[Path]) -> None:
    """Upload files one after the other, and wait until models have looked at all."""
    with httpx.Client(base_url=platform.url, timeout=120, trust_env=False) as client:
        for file in files:
            while upload(client, file.read_bytes()) == "refused":
                pass
        give_up = time.monotonic() + COMPLETE_WITHIN_S
        while client.get("/api/v1/images", params={"status": "pending"}).raise_for_status().json()["items"]:
            if time.monotonic() > give_up:
                raise TimeoutError("images are still pending")
            time.sleep(0.5)


def _cpu_s(platform: Platform, service: str) -> float:
    """Return the seconds of processor that a service and its children, also those that ended, have used so far."""
    return sum(sum(process.cpu_times()) for process in processes(platform)[service][:1]) + sum(
        sum(process.cpu_times()[:2]) for process in processes(platform)[service][1:]
    )


def _most_memory_mb(platform: Platform, service: str) -> float:
    """Return the most that a service and its children have held, each at its worst."""
    status = [Path(f"/proc/{process.pid}/status").read_text() for process in processes(platform)[service]]
    return sum(int(each.partition("VmHWM:")[2].split()[0]) for each in status) / 1e3


def _stored_bytes(platform: Platform) -> int:
    return sum(file.stat().st_size for file in platform.store.rglob("*") if file.is_file())


if __name__ == "__main__":
    main()
