"""Offer the running services ten times what they can take, and look what becomes of it and of them.

    python -m tests.chaos.overload --seconds 60

First their capacity is measured: how many uploads a second are kept while a number of clients send one after the other.
Then ten times as many arrive, whether the ones before are answered or not; goodput is counted from when the first of
them have reached their deadline, for the queues are full then. Absolute numbers depend on the machine, and
the clients run on it, too; the ratios depend on it less.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil
from PIL import Image

from tests.chaos.plain_http import Answer, PlainClient
from tests.live_platform import SERVICES, Platform, running_platform
from tests.pictures import encoded

TIMES = 10
CLIENTS = 32
PICTURES = 200
UNLOADED = 5
RECOVERY_S = 10.0
UNLOADED_TIMES = 8.0
"""A deadline is at least so many times what an upload takes alone, and recovery may take so long, too: on a machine
that others use, one upload can take seconds."""
SLOWER_AT_MOST = 4.0
"""So many times the unloaded latency an upload may take once the services have recovered, but 2 s in any case."""
GOODPUT = 0.8
SPARE_MIB = 300
"""A service may grow by so much beyond what it took when its capacity was measured."""
FULL = frozenset({503, 504})


@dataclass
class Outcome:
    """What came of it."""

    unloaded_s: float
    capacity: float
    """Uploads kept a second."""
    offered: float
    goodput: float
    statuses: Counter[int]
    complete: int
    deadline_s: float
    accepted_p50_s: float
    accepted_p99_s: float
    refused_p99_s: float
    recovered_after_s: float | None
    memory_before: dict[str, float]
    """MiB of each service, its decoding processes included, at its peak while capacity was measured."""
    memory_peak: dict[str, float]
    problems: list[str] = field(default_factory=list)

    def faults(self, *, goodput: float = GOODPUT, late: float = 1.0) -> list[str]:
        """Say what must not be.

        Args:
            goodput: Least share of the capacity.
            late: So many times the deadline the slowest of the accepted may have taken, as the clients saw it.
        """
        found = list(dict.fromkeys(self.problems))[:10]
        if self.goodput < goodput * self.capacity:
            found.append(f"goodput is {self.goodput:.1f}/s of a capacity of {self.capacity:.1f}/s")
        if self.accepted_p99_s > late * self.deadline_s:
            found.append(f"of the accepted, 1 % took more than {self.accepted_p99_s:.1f} s of {self.deadline_s:.1f} s")
        if self.recovered_after_s is None or self.recovered_after_s > max(RECOVERY_S, UNLOADED_TIMES * self.unloaded_s):
            found.append(f"recovered after {self.recovered_after_s} s")
        for name, peak in self.memory_peak.items():
            if peak > self.memory_before[name] + SPARE_MIB:
                found.append(f"{name} grew from {self.memory_before[name]:.0f} to {peak:.0f} MiB")
        return found

    def __str__(self) -> str:
        told = ", ".join(f"{status or 'broken'} {count}" for status, count in sorted(self.statuses.items()))
        memory = ", ".join(
            f"{name} {before:.0f} -> {self.memory_peak[name]:.0f}" for name, before in self.memory_before.items()
        )
        load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
        return "\n".join(
            [
                f"load of the machine     {load} on {os.cpu_count()} cores",
                f"unloaded, median        {self.unloaded_s:.2f} s",
                f"capacity                {self.capacity:.1f} uploads/s",
                f"offered                 {self.offered:.1f}/s",
                f"goodput                 {self.goodput:.1f}/s, {self.goodput / self.capacity:.0%} of capacity",
                f"answers                 {told}; {self.complete} complete at once",
                f"accepted, p50 and p99   {self.accepted_p50_s:.2f}, {self.accepted_p99_s:.2f} s",
                f"deadline                {self.deadline_s:.0f} s",
                f"refused, p99            {self.refused_p99_s:.2f} s",
                f"recovered after         {self.recovered_after_s} s",
                f"memory, MiB             {memory}",
            ]
        )


class Load:
    """Sends uploads, all different."""

    def __init__(self, platform: Platform, *, deadline_s: float) -> None:
        parts = urlsplit(platform.url)
        self.client = PlainClient(parts.hostname or "", parts.port or 0)
        self.deadline_s = deadline_s
        self._pictures = itertools.cycle([_picture(seed) for seed in range(PICTURES)])

    async def one(self) -> Answer:
        # What follows the end of a JPEG is no part of the picture, and makes the file a new one.
        image = next(self._pictures) + uuid.uuid4().bytes
        return await self.client.upload(image, deadline_ms=int(1000 * self.deadline_s))

    async def one_after_the_other(self, seconds: float) -> list[Answer]:
        """Let each of CLIENTS send the next when the last is answered."""
        until = time.perf_counter() + seconds

        async def send() -> list[Answer]:
            answers = []
            while time.perf_counter() < until:
                answers.append(await self.one())
            return answers

        return [answer for each in await asyncio.gather(*(send() for _ in range(CLIENTS))) for answer in each]

    async def at_a_rate(self, rate: float, seconds: float) -> list[Answer]:
        """Send at random moments, so many a second on average, whatever becomes of them."""
        chance = random.Random(0)
        started = due = time.perf_counter()
        sent: list[asyncio.Task[Answer]] = []
        while due < started + seconds:
            await asyncio.sleep(max(0, due - time.perf_counter()))
            sent.append(asyncio.create_task(self.one()))
            due += chance.expovariate(rate)
        return list(await asyncio.gather(*sent))


class Memory:
    """Peaks of the services' memory, looked at again and again."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self.peak: dict[str, float] = {}

    async def watch(self) -> None:
        while True:
            for name, mib in self._now():
                self.peak[name] = max(self.peak.get(name, 0), mib)
            await asyncio.sleep(0.5)

    def begin_anew(self) -> dict[str, float]:
        before, self.peak = self.peak, {}
        return before

    def _now(self) -> Iterator[tuple[str, float]]:
        for process in psutil.Process(self._platform.process.pid).children(recursive=True):
            try:
                command = process.cmdline()
                for name in SERVICES:
                    if command[-2:] in (["-m", name], ["-m", f"{name}_service"]):
                        family = [process, *process.children(recursive=True)]
                        yield name, sum(each.memory_info().rss for each in family) / 2**20
            except psutil.NoSuchProcess:
                continue


async def run(platform: Platform, *, seconds: float, measuring_s: float, deadline_s: float) -> Outcome:
    """Measure capacity, offer ten times as much, and see how soon all is as before."""
    load, memory = Load(platform, deadline_s=deadline_s), Memory(platform)
    watching = asyncio.create_task(memory.watch())
    try:
        unloaded = [await load.one() for _ in range(UNLOADED)]
        unloaded_s = statistics.median(answer.took_s for answer in unloaded)
        deadline_s = load.deadline_s = max(deadline_s, UNLOADED_TIMES * unloaded_s)
        started = time.perf_counter()
        measured = await load.one_after_the_other(measuring_s)
        capacity = _kept(measured, until=started + measuring_s) / measuring_s
        before = memory.begin_anew()
        started = time.perf_counter()
        answers = await load.at_a_rate(TIMES * capacity, deadline_s + seconds)
        full_at = started + deadline_s  # until then queues fill, and little that was taken can be done
        kept = _kept(answers, until=full_at + seconds) - _kept(answers, until=full_at)
        goodput = kept / seconds
        recovered_after_s = await _recovered(load, unloaded_s)
        problems = _problems([*unloaded, *measured, *answers])
        problems += await _missing(load, sum(a.status == 201 for a in [*unloaded, *measured, *answers]))
    finally:
        watching.cancel()
        load.client.close()
    accepted = [answer for answer in answers if answer.is_accepted]
    refused = [answer.took_s for answer in answers if answer.status in FULL]
    return Outcome(
        unloaded_s=unloaded_s,
        capacity=capacity,
        offered=len(answers) / (deadline_s + seconds),
        goodput=goodput,
        statuses=Counter(answer.status for answer in answers),
        complete=sum(answer.json["status"] == "complete" for answer in accepted),
        deadline_s=deadline_s,
        accepted_p50_s=_quantile([answer.took_s for answer in accepted], 0.5),
        accepted_p99_s=_quantile([answer.took_s for answer in accepted], 0.99),
        refused_p99_s=_quantile(refused, 0.99),
        recovered_after_s=recovered_after_s,
        memory_before=before,
        memory_peak=memory.peak,
        problems=problems,
    )


def _kept(answers: list[Answer], *, until: float) -> int:
    """Count what was accepted before a moment; what is still under way then is no part of a rate."""
    return sum(answer.is_accepted and answer.at_s <= until for answer in answers)


def _problems(answers: list[Answer]) -> list[str]:
    problems = []
    for answer in answers:
        if answer.status in FULL:
            if answer.status == 503 and int(answer.headers.get("retry-after", "0")) < 1:
                problems.append("a 503 without Retry-After")
        elif not answer.is_accepted:
            problems.append(f"{answer.status} {answer.problem} {answer.body[:200]!r}")
    return problems


async def _recovered(load: Load, unloaded_s: float) -> float | None:
    """Return how long after the load an upload gets both words again in its usual time, three times in a row."""
    started = time.perf_counter()
    in_a_row = 0
    first_s = 0.0
    while in_a_row < 3:
        since_s = time.perf_counter() - started
        if since_s > 3 * max(RECOVERY_S, UNLOADED_TIMES * unloaded_s):
            return None
        answer = await load.one()
        is_usual = answer.took_s <= max(2.0, SLOWER_AT_MOST * unloaded_s)
        if answer.status == 201 and answer.json["status"] == "complete" and is_usual:
            first_s = since_s if in_a_row == 0 else first_s
            in_a_row += 1
        else:
            in_a_row = 0
            await asyncio.sleep(0.2)
    return round(first_s, 1)


async def _missing(load: Load, acknowledged: int) -> list[str]:
    """Say whether storage knows fewer images than were acknowledged."""
    answer = await load.client.request("GET", "/api/v1/labels")
    stored = sum(each["count"] for each in answer.json)  # type: ignore[call-overload]
    return [] if stored >= acknowledged else [f"{acknowledged} were acknowledged, {stored} are stored"]


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def _picture(seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), np.uint8)
    return encoded(Image.fromarray(noise).resize((640, 480), Image.Resampling.BICUBIC))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos.overload", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60, help="of overload (default: %(default)s)")
    parser.add_argument("--measuring", type=float, default=20, help="seconds for the capacity (default: %(default)s)")
    parser.add_argument("--deadline", type=float, default=10, help="of each upload, seconds (default: %(default)s)")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="legenda-chaos-") as folder,
        running_platform(Path(folder)) as platform,
    ):
        outcome = asyncio.run(
            run(platform, seconds=options.seconds, measuring_s=options.measuring, deadline_s=options.deadline)
        )
    print(outcome)
    if faults := outcome.faults():
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
