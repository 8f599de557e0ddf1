"""Measure a batch: how much memory the gateway takes while it receives many files, and how fast.

`python -m tests.bench.batches` starts storage-service and the gateway, without models, and sends files of 1 MB, first
few, then ten times as many, then as a ZIP; memory that grows with their number would show.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil

from tests.integration.gateway.batch_bodies import HEADERS, body_of
from tests.integration.gateway.processes import running
from tests.live_platform import ROOT, free_ports
from tests.pictures import photo_bytes

MB = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.batches", description=__doc__)
    parser.add_argument("--files", type=int, default=200, help="first; then ten times as many (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="legenda-bench-") as folder, ExitStack() as stack:
        client = _started(Path(folder), stack)
        [gateway] = [each for each in psutil.process_iter() if _is_gateway(each, folder)]
        print(f"before              {gateway.memory_info().rss / MB:6.0f} MB")
        for name, files in (
            (f"{options.files} files", _files(options.files)),
            (f"{10 * options.files} files", _files(10 * options.files)),
            (f"ZIP of {options.files} files", iter([("all.zip", _zip(options.files))])),
        ):
            seconds, peak, counts = _sent(client, gateway, files)
            rate = counts["received"] / seconds
            print(f"{name:19} {peak / MB:6.0f} MB at most, {rate:5.1f} files/s, {counts}")


def _started(folder: Path, stack: ExitStack) -> httpx.Client:
    names = ("GATEWAY", "STORAGE", "CAPTION", "CLASSIFY")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    environment = {f"{name}_PORT": str(port) for name, port in ports.items()} | {
        f"GATEWAY_{name}_URL": f"http://127.0.0.1:{ports[name]}" for name in names[1:]
    }
    environment["GATEWAY_WEB"] = str(ROOT / "web")
    stack.enter_context(running("storage_service", folder, environment, environment["GATEWAY_STORAGE_URL"]))
    address = f"http://127.0.0.1:{ports['GATEWAY']}"
    client = stack.enter_context(running("gateway", folder, environment, address))
    client.timeout = httpx.Timeout(None)
    return client


def _is_gateway(process: psutil.Process, folder: str) -> bool:
    try:
        return process.cmdline()[-2:] == ["-m", "gateway"] and process.cwd() == os.path.realpath(folder)
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        return False


def _files(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield pictures with so much noise behind their end that they have 1 MB."""
    for number in range(count):
        picture = photo_bytes(number % 12)
        yield f"{number}.jpg", picture + os.urandom(MB - len(picture))


def _zip(count: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in _files(count):
            archive.writestr(name, content)
    return stream.getvalue()


def _sent(
    client: httpx.Client, gateway: psutil.Process, files: Iterator[tuple[str, bytes]]
) -> tuple[float, int, dict[str, int]]:
    """Return the seconds it took, the gateway's largest memory meanwhile, and the batch's counts."""
    sizes: list[int] = []
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(0.1):
            sizes.append(gateway.memory_info().rss)

    looking = threading.Thread(target=look)
    looking.start()
    started = time.perf_counter()
    try:
        response = client.post("/api/v1/batches", content=body_of(files), headers=HEADERS)
        response.raise_for_status()
    finally:
        is_over.set()
        looking.join()
    return time.perf_counter() - started, max(sizes), response.json()["counts"]


if __name__ == "__main__":
    main()
