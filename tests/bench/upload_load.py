"""Upload pictures to running services and say what each took: alone, by many at once, in a long row."""

from __future__ import annotations

import io
import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import numpy as np
import psutil
from PIL import Image

from tests.live_platform import Platform

NUMBERS = itertools.count()
"""Each picture is drawn from its own number: no two uploads are of the same bytes."""
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
    """Return a JPEG of soft noise that nobody has uploaded before."""
    noise = np.random.default_rng(next(NUMBERS)).integers(0, 255, (12, 16, 3), np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC).save(encoded, "JPEG", quality=90)
    return encoded.getvalue()


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
