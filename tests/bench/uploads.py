"""Measure uploads: `make bench` starts the services, posts pictures one after the other, and prints what it took.

Absolute times depend on the machine; the ratio to the encoder's own time, taken in the same run, does not as much.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from caption_service.model.encoder import Encoder
from caption_service.settings import default_encoder
from tests.live_platform import running_platform
from tests.pictures import encoded


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--uploads", type=int, default=30, help="pictures to post (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="legenda-bench-") as folder:
        started = time.perf_counter()
        with running_platform(Path(folder)) as platform:
            ready_s = time.perf_counter() - started
            uploads_s = _upload_times(platform.url, options.uploads)
    encoder_s = _encoder_times(options.uploads)
    p50, worst = statistics.median(uploads_s), max(uploads_s)
    print(f"services ready after        {ready_s:8.2f} s")
    print(f"one upload, median          {1000 * p50:8.0f} ms")
    print(f"one upload, slowest of {options.uploads:<4d} {1000 * worst:8.0f} ms")
    print(f"VGG16 alone, median         {1000 * statistics.median(encoder_s):8.0f} ms")
    print(f"upload / VGG16              {p50 / statistics.median(encoder_s):8.2f}")


def _picture(seed: int) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), np.uint8)
    return Image.fromarray(noise).resize((640, 480), Image.Resampling.BICUBIC)


def _upload_times(url: str, count: int) -> list[float]:
    times = []
    with httpx.Client(base_url=url, timeout=60) as client:
        for seed in range(count):
            files = {"file": (f"{seed}.jpg", encoded(_picture(seed)))}
            started = time.perf_counter()
            client.post("/api/v1/images", files=files).raise_for_status()
            times.append(time.perf_counter() - started)
    return times


def _encoder_times(count: int) -> list[float]:
    encoder = Encoder(default_encoder() / "encoder.npz", grid_side=7)
    image = np.asarray(_picture(0).resize((224, 224)))[None]
    encoder.encode(image)
    times = []
    for _ in range(count):
        started = time.perf_counter()
        encoder.encode(image)
        times.append(time.perf_counter() - started)
    return times


if __name__ == "__main__":
    main()
