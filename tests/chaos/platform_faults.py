"""Upload from many clients while every service is killed, paused, started late and cut off; then look what is left.

    python -m tests.chaos.platform_faults --uploads 2000 --clients 16

Each fault comes to each service in turn, one at a time, round after round until all uploads are acknowledged. Then
nothing that was acknowledged may be missing, nothing may be there twice, all images must become complete, and whatever
`storage-check` finds must be such that `--repair` clears it away. 502, 503 and 504 are honest answers: tried again.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.chaos.kept_services import MODULES, KeptService, kept_services
from tests.chaos.storage_kills import REPAIRABLE, check
from tests.cuttable import Cuttable, cuttable
from tests.live_platform import free_ports, platform_environment
from tests.pictures import drawn_picture, encoded

REQUEST_TIMEOUT_S = 45.0
READY_TIMEOUT_S = 240.0
LONGEST_PAUSE_S = 2.0
HONEST = {502, 503, 504}
DELAY_S = 1.0
TRUNCATED_BYTES = 120
"""Fewer than the head of any answer of ours."""


@dataclass(frozen=True)
class Plan:
    """How much is uploaded, and how hard it is made."""

    uploads: int
    clients: int
    fault_s: float
    rest_s: float
    """From when the service is ready again until the next fault."""
    goes_on: bool
    """Whether the faults go on, round after round, while uploads are under way; else there is one round."""
    complete_within_s: float
    services: tuple[str, ...] = tuple(MODULES)
    seed: int = 0


@dataclass
class Outcome:
    """What came of it."""

    faults: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    acknowledged: dict[str, str] = field(default_factory=dict)
    """The id by the SHA-256 of its bytes."""
    unexpected: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    unfinished: Counter[str] = field(default_factory=Counter)
    found: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    slowest_recovery_s: float = 0.0
    """From the end of a fault until the service said that it is ready."""
    uploaded_s: float = 0.0
    completed_s: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether every promise was kept."""
        unforeseen = set(self.found) - REPAIRABLE
        return not (self.unexpected or self.lost or self.twice or self.unfinished or unforeseen or self.left)

    def __str__(self) -> str:
        lines = [
            f"faults                    {_counts(self.faults)}",
            f"slowest recovery          {self.slowest_recovery_s:.1f} s",
            f"answers                   {_counts(self.answers)}",
            f"acknowledged              {len(self.acknowledged)} in {self.uploaded_s:.0f} s",
            f"all complete              {self.completed_s:.0f} s later",
            f"unexpected answers        {len(self.unexpected)} {' '.join(self.unexpected[:3])}".rstrip(),
            f"lost                      {len(self.lost)} {' '.join(self.lost[:3])}".rstrip(),
            f"twice                     {len(self.twice)} {' '.join(self.twice[:3])}".rstrip(),
            f"not complete              {_counts(self.unfinished)}",
            f"found by storage-check    {_counts(self.found)}",
            f"found after its --repair  {_counts(self.left)}",
        ]
        return "\n".join(lines)


def run(plan: Plan, folder: Path) -> Outcome:
    """Carry a plan out on services of its own in `folder`, on SQLite."""
    outcome = Outcome()
    ports = dict(zip(MODULES, free_ports(len(MODULES)), strict=True))
    settings = platform_environment(folder, ports)
    with ExitStack() as stack:
        lines = {name: stack.enter_context(cuttable("127.0.0.1", ports[name])) for name in MODULES}
        through = {f"GATEWAY_{name.upper()}_URL": f"http://127.0.0.1:{lines[name].port}" for name in MODULES}
        through.pop("GATEWAY_GATEWAY_URL")
        services = stack.enter_context(kept_services(folder, settings | through))
        url = f"http://127.0.0.1:{lines['gateway'].port}"
        asyncio.run(_work(plan, services, lines, url, outcome))
    storage = {name.removeprefix("STORAGE_").lower(): value for name, value in settings.items() if "STORAGE_" in name}
    outcome.found = check(folder, storage)
    check(folder, storage, "--repair")
    outcome.left = check(folder, storage)
    return outcome


async def _work(
    plan: Plan, services: dict[str, KeptService], lines: dict[str, Cuttable], url: str, outcome: Outcome
) -> None:
    limits = httpx.Limits(max_connections=plan.clients + 2)
    async with httpx.AsyncClient(base_url=url, timeout=REQUEST_TIMEOUT_S, limits=limits, trust_env=False) as client:
        await _until(lambda: _is_ready(client), READY_TIMEOUT_S, "the gateway is not ready")
        started_s = time.monotonic()
        numbers = iter(range(plan.uploads))
        uploading = asyncio.gather(*(_upload_all(client, numbers, outcome, plan.seed) for _ in range(plan.clients)))
        await _make_faults(plan, services, lines, uploading, outcome)
        await uploading
        outcome.uploaded_s = time.monotonic() - started_s
        completing_s = time.monotonic()
        await _until(lambda: _is_done(client), plan.complete_within_s, None)
        outcome.completed_s = time.monotonic() - completing_s
        await _compare(client, outcome)


async def _upload_all(client: httpx.AsyncClient, numbers: Iterator[int], outcome: Outcome, seed: int) -> None:
    for number in numbers:
        image = encoded(drawn_picture(160, 120, seed=number), comment=f"{seed} {number}".encode())
        pauses = random.Random(number)
        while not await _is_acknowledged(client, image, f"{number}.jpg", outcome):
            await asyncio.sleep(pauses.uniform(0.1, LONGEST_PAUSE_S))


async def _is_acknowledged(client: httpx.AsyncClient, image: bytes, filename: str, outcome: Outcome) -> bool:
    try:
        answer = await client.post("/api/v1/images", files={"file": (filename, image, "image/jpeg")})
    except httpx.TransportError as error:
        outcome.answers[type(error).__name__] += 1
        return False
    outcome.answers[str(answer.status_code)] += 1
    if answer.is_success:
        outcome.acknowledged[hashlib.sha256(image).hexdigest()] = answer.json()["id"]
    elif answer.status_code not in HONEST:
        outcome.unexpected.append(f"{filename}: {answer.status_code} {answer.text}")
    return answer.is_success


async def _make_faults(
    plan: Plan,
    services: dict[str, KeptService],
    lines: dict[str, Cuttable],
    uploading: asyncio.Future[list[None]],
    outcome: Outcome,
) -> None:
    is_first = True
    while is_first or (plan.goes_on and not uploading.done()):
        for name in plan.services:
            for kind, fault in FAULTS.items():
                if uploading.done() and not is_first:
                    return
                _say(f"{kind} {name}; {len(outcome.acknowledged)} of {plan.uploads} acknowledged")
                with fault(services[name], lines[name]):
                    await asyncio.sleep(plan.fault_s)
                outcome.faults[kind] += 1
                await _recovered(lines[name], f"{name} after it was {kind}", outcome)
                await asyncio.sleep(plan.rest_s)
        is_first = False


async def _recovered(line: Cuttable, what: str, outcome: Outcome) -> None:
    began_s = time.monotonic()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{line.port}", timeout=5.0, trust_env=False) as client:
        await _until(lambda: _is_ready(client), READY_TIMEOUT_S, f"{what} is not ready")
    outcome.slowest_recovery_s = max(outcome.slowest_recovery_s, time.monotonic() - began_s)


@contextmanager
def _killed(service: KeptService, _: Cuttable) -> Iterator[None]:
    service.kill()
    yield


@contextmanager
def _paused(service: KeptService, _: Cuttable) -> Iterator[None]:
    service.pause()
    try:
        yield
    finally:
        service.go_on()


@contextmanager
def _late(service: KeptService, _: Cuttable) -> Iterator[None]:
    service.hold_back()
    service.kill()
    try:
        yield
    finally:
        service.let_go()


@contextmanager
def _slow(_: KeptService, line: Cuttable) -> Iterator[None]:
    line.delay(DELAY_S)
    try:
        yield
    finally:
        line.restore()


@contextmanager
def _reset(_: KeptService, line: Cuttable) -> Iterator[None]:
    line.reset()
    try:
        yield
    finally:
        line.restore()


@contextmanager
def _truncated(_: KeptService, line: Cuttable) -> Iterator[None]:
    line.truncate(TRUNCATED_BYTES)
    try:
        yield
    finally:
        line.restore()


FAULTS = {
    "killed": _killed,
    "paused": _paused,
    "started late": _late,
    "network slow": _slow,
    "network reset": _reset,
    "network truncated": _truncated,
}


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/ready")).is_success
    except httpx.TransportError:
        return False


async def _is_done(client: httpx.AsyncClient) -> bool:
    try:
        answer = await client.get("/api/v1/images", params={"status": "pending", "limit": 1})
    except httpx.TransportError:
        return False
    return answer.is_success and not answer.json()["items"]


async def _until(is_so: Callable[[], object], timeout_s: float, complaint: str | None) -> None:
    give_up_s = time.monotonic() + timeout_s
    while not await is_so():  # type: ignore[misc]
        if time.monotonic() > give_up_s:
            if complaint:
                raise RuntimeError(f"{complaint} after {timeout_s:.0f} s")
            return
        await asyncio.sleep(0.3)


async def _compare(client: httpx.AsyncClient, outcome: Outcome) -> None:
    """Compare what is there with what was acknowledged."""
    there: Counter[str] = Counter()
    cursor: str | None = ""
    while cursor is not None:
        page = await client.get("/api/v1/images", params={"limit": 100} | ({"cursor": cursor} if cursor else {}))
        for record in page.raise_for_status().json()["items"]:
            there[record["sha256"]] += 1
            if record["status"] != "complete":
                outcome.unfinished[record["status"]] += 1
        cursor = page.json()["next_cursor"]
    outcome.twice = [sha256 for sha256, count in there.items() if count > 1]
    for sha256, image_id in outcome.acknowledged.items():
        content = await client.get(f"/api/v1/images/{image_id}/content")
        if there[sha256] == 0 or hashlib.sha256(content.content).hexdigest() != sha256:
            outcome.lost.append(image_id)


def _say(sentence: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{sentence}")


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "nothing"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uploads", type=int, default=2000, help="images (default: 2000)")
    parser.add_argument("--clients", type=int, default=16, help="that upload at once (default: 16)")
    parser.add_argument("--fault-s", type=float, default=20.0, help="seconds of each fault (default: 20)")
    parser.add_argument("--rest-s", type=float, default=5.0, help="seconds between two (default: 5)")
    options = parser.parse_args()
    plan = Plan(
        uploads=options.uploads,
        clients=options.clients,
        fault_s=options.fault_s,
        rest_s=options.rest_s,
        goes_on=True,
        complete_within_s=3600.0,
    )
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(plan, Path(folder))
    print(f"\n{outcome}")
    sys.exit(0 if outcome.is_good else 1)


if __name__ == "__main__":
    main()
