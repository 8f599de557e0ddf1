"""Post hostile files to a real gateway with a real storage: each is refused for a reason, or taken and answered right.

`python -m tests.chaos.hostile_files` does so with twenty seeds' files; the suite does it with one's.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from PIL import Image

from tests.hostile_files import REFUSED, HostileFile, hostile_files
from tests.integration.gateway.processes import running
from tests.live_platform import free_ports

NAMES = ("GATEWAY", "CAPTION", "CLASSIFY", "STORAGE")


@dataclass(frozen=True)
class Door:
    """A running gateway."""

    client: httpx.Client
    process: psutil.Process

    def memory_bytes(self) -> tuple[int, int]:
        """Return what the gateway holds now, and its largest decoding process."""
        held = [0]
        for child in self.process.children():
            try:
                held.append(child.memory_info().rss)
            except psutil.NoSuchProcess:  # it was just replaced
                continue
        return self.process.memory_info().rss, max(held)


@contextmanager
def open_door(folder: Path) -> Iterator[Door]:
    """Start a gateway with a real storage behind it, and nobody where the models should be."""
    ports = dict(zip(NAMES, free_ports(len(NAMES)), strict=True))
    environment = {f"{name}_PORT": str(port) for name, port in ports.items()} | {
        f"GATEWAY_{name}_URL": f"http://127.0.0.1:{port}" for name, port in ports.items() if name != "GATEWAY"
    }
    with (
        running("storage_service", folder, environment, f"http://127.0.0.1:{ports['STORAGE']}"),
        running("gateway", folder, environment, f"http://127.0.0.1:{ports['GATEWAY']}") as client,
    ):
        [process] = [child for child in psutil.Process().children() if child.cmdline()[-2:] == ["-m", "gateway"]]
        yield Door(client, process)


def post(door: Door, file: HostileFile) -> int:
    """Post one file and check the answer; return its status."""
    response = door.client.post("/api/v1/images", files={"file": (file.name, file.content)})
    if response.status_code in REFUSED:
        problem = response.json()
        assert problem["status"] == response.status_code, file.name
        assert problem["detail"], file.name
        return response.status_code
    assert response.status_code in {200, 201}, (file.name, response.status_code, response.text)
    record = response.json()
    assert record["media_type"] in file.media_types, (file.name, record)
    place = response.headers["Location"]
    content = door.client.get(f"{place}/content")
    assert (content.content, content.headers["content-type"]) == (file.content, record["media_type"]), file.name
    with Image.open(io.BytesIO(door.client.get(f"{place}/preview").content), formats=["JPEG"]) as preview:
        preview.load()
        assert max(preview.size) <= 512, file.name
        assert (record["width"] >= record["height"]) == (preview.width >= preview.height), file.name
        assert not preview.getexif(), file.name
    door.client.delete(place).raise_for_status()
    return response.status_code


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.hostile_files", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many times all files (default: %(default)s)")
    options = parser.parse_args()
    statuses: Counter[int] = Counter()
    most_gateway = most_decoder = 0
    with tempfile.TemporaryDirectory(prefix="legenda-chaos-") as folder, open_door(Path(folder)) as door:
        before = door.memory_bytes()
        for seed in range(options.seeds):
            for file in hostile_files(seed):
                statuses[post(door, file)] += 1
                gateway, decoder = door.memory_bytes()
                most_gateway, most_decoder = max(most_gateway, gateway), max(most_decoder, decoder)
            print(f"{seed + 1} of {options.seeds} seeds: {dict(sorted(statuses.items()))}", flush=True)
    print(f"gateway: {before[0] / 2**20:.0f} MB before, at most {most_gateway / 2**20:.0f} MB")
    print(f"a decoding process: {before[1] / 2**20:.0f} MB before, at most {most_decoder / 2**20:.0f} MB")


if __name__ == "__main__":
    main()
