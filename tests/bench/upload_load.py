"""Upload pictures to running services and say what each took: alone, by many at once, in a long row."""

from __future__ import annotations

import functools
import io
import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import psutil
from PIL import Image

from tests.live_platform import Platform

NUMBERS = itertools.count()
"""Each picture is drawn from its own number: no two uploads are of the same bytes."""
SAMPLES = Path(__file__).parents[2] / "web" / "samples"
MODULES = {
    "gateway": "gateway",
    "caption": "caption_service",
    "classify": "classify_service",
    "storage": "storage_service",
}


@dataclass(frozen=True)
class Rate:
    """What came of many clients at once."""

    answered_a_second: float
    complete_a_second: float
    """Those that both models had looked at."""


def picture(width: int, height: int) -> bytes:
    """Return a JPEG with the colours and edges of photos that nobody has uploaded before: parts of two photos in one.

    Pictures of noise would not do: the models find them all alike, and storage compares what is alike.
    """
    random = np.random.default_rng(next(NUMBERS))
    # One photo goes over into the other somewhere, from one side to the other.
    ramp = np.clip(np.linspace(-6, 6, 64) + random.uniform(-3, 3), 0, 1)
    mask = Image.fromarray((255 * np.tile(ramp, (64, 1))).astype(np.uint8)).rotate(90 * int(random.integers(4)))
    both = Image.composite(_part(random, width, height), _part(random, width, height), mask.resize((width, height)))
    encoded = io.BytesIO()
    both.save(encoded, "JPEG", quality=90)
    return encoded.getvalue()


def _part(random: np.random.Generator, width: int, height: int) -> Image.Image:
    """Return a part of a sample, turned or mirrored, brighter or darker, its colours exchanged."""
    sample = _samples()[random.integers(len(_samples()))].transpose(Image.Transpose(int(random.integers(7))))
    cut = [int(random.uniform(0.1, 0.6) * side) for side in sample.size]
    left, top = (int(random.integers(side - length)) for side, length in zip(sample.size, cut, strict=True))
    box = (left, top, left + cut[0], top + cut[1])
    part = sample.resize((width, height), Image.Resampling.BILINEAR, box=box)
    coloured = Image.merge("RGB", [part.getchannel(int(channel)) for channel in random.permutation(3)])
    gamma = random.uniform(0.5, 2)
    return coloured.point([round(255 * (level / 255) ** gamma) for level in range(256)] * 3)


@functools.cache
def _samples() -> list[Image.Image]:
    return [Image.open(file).convert("RGB") for file in sorted(SAMPLES.glob("*.jpg"))]


class Pile:
    """Pictures drawn beforehand, so that drawing takes no time from what is measured."""

    def __init__(self, count: int, width: int, height: int) -> None:
        self._size = width, height
        self._ready = deque(picture(width, height) for _ in range(count))

    def take(self) -> bytes:
        """Return one that nobody else gets; where there are no more it is drawn now."""
        try:
            return self._ready.popleft()
        except IndexError:
            return picture(*self._size)


def times_s(call: Callable[[], object], count: int) -> list[float]:
    """Return the seconds of each of `count` calls, one after the other."""
    times = []
    for _ in range(count):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return times


def upload(client: httpx.Client, body: bytes) -> str:
    """Upload; return the record's status, or `refused` after the pause that a full gateway asks for, at most 1 s."""
    response = client.post("/api/v1/images", files={"file": ("picture.jpg", body, "image/jpeg")})
    if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        time.sleep(min(1.0, float(response.headers.get("Retry-After", 1))))
        return "refused"
    response.raise_for_status()
    return str(response.json()["status"])


def rate(url: str, call: Callable[[httpx.Client], str], *, clients: int, seconds: float) -> Rate:
    """Let so many clients call again and again; what is under way at the end is finished and counted with its time."""
    began = time.perf_counter()

    def client_calls(_: int) -> list[str]:
        said = []
        with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
            while time.perf_counter() - began < seconds:
                said.append(call(client))
        return said

    with ThreadPoolExecutor(clients) as threads:
        answers = [each for said in threads.map(client_calls, range(clients)) for each in said]
    took_s = time.perf_counter() - began
    return Rate((len(answers) - answers.count("refused")) / took_s, answers.count("complete") / took_s)


def processes(platform: Platform) -> dict[str, list[psutil.Process]]:
    """Return each service's processes, its children included."""
    found: dict[str, list[psutil.Process]] = {}
    for child in psutil.Process(platform.process.pid).children(recursive=True):
        command = child.cmdline()
        for service, module in MODULES.items():
            if module in command:
                found[service] = [child, *child.children(recursive=True)]
    return found


def memory_mb(platform: Platform) -> dict[str, float]:
    """Return the memory of each service's first process, without what its children decode in."""
    return {service: each[0].memory_info().rss / 1e6 for service, each in processes(platform).items()}


def cpu_s(platform: Platform, services: tuple[str, ...]) -> float:
    """Return the seconds of processor that services have used so far."""
    running = processes(platform)
    times: Iterator[float] = (
        sum(process.cpu_times()[:2]) for service in services for process in running[service] if process.is_running()
    )
    return sum(times)
