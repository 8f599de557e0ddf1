"""Kill storage-service again and again while images are added, corrected and deleted; then look what is left.

    python -m tests.chaos.storage_kills --kills 50

Nothing that was acknowledged may be lost, no row may be without its file, and whatever else lies about must be such
that `storage-check --repair` clears it away. It runs on SQLite and, if LEGENDA_TEST_MYSQL_URL names a server, on MySQL.
A kill ends the process, not the machine: what the disk keeps of what was synced, only pulling the plug can tell.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import httpx
from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from storage_service import schema
from storage_service.database import open_engine
from tests.integration.storage.live_service import LiveService, environment, live_service
from tests.unit.storage.samples import PREVIEW, new_image

WORKERS = 4
LABELS = ("photo", "meme", "scan", "chart")
MOST_CHANGES = 30
"""So many are acknowledged before a kill at the most."""
LARGEST_BYTES = 400_000
TIMEOUT_S = 60.0
REPAIRABLE = {"orphan_file", "orphan_preview", "half_written", "spare_copy"}
"""What a kill may leave behind."""


@dataclass
class Promise:
    """What the service has acknowledged of one image."""

    content: bytes
    labels: set[str]
    """The label it must have; two, if it was killed before it acknowledged the second."""
    may_exist: bool = True
    must_exist: bool = True


@dataclass
class Outcome:
    """What came of it."""

    kills: int = 0
    acknowledged: Counter[str] = field(default_factory=Counter)
    cut_off: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    """Answers that were neither success nor 503 or 504: there should be none."""
    broken_promises: list[str] = field(default_factory=list)
    found: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    """What a check finds after the repair."""

    @property
    def is_good(self) -> bool:
        """Whether all promises were kept."""
        unforeseen = set(self.found) - REPAIRABLE
        return not (self.refused or self.broken_promises or unforeseen or self.left)

    def __str__(self) -> str:
        lines = [
            f"kills                     {self.kills}",
            f"acknowledged              {_counts(self.acknowledged)}",
            f"cut off by a kill         {_counts(self.cut_off)}",
            f"broken promises           {len(self.broken_promises)} {' '.join(self.broken_promises[:3])}".rstrip(),
            f"unexpected answers        {len(self.refused)} {' '.join(self.refused[:3])}".rstrip(),
            f"found by storage-check    {_counts(self.found)}",
            f"found after its --repair  {_counts(self.left)}",
        ]
        return "\n".join(lines)


class Worker:
    """Adds, corrects and deletes images of its own, one after the other, until the service is gone."""

    def __init__(self, number: int, outcome: Outcome) -> None:
        self._random = random.Random(number)
        self._outcome = outcome
        self.promises: dict[UUID, Promise] = {}

    def work(self, url: str) -> None:
        """Go on until a request is cut off."""
        with httpx.Client(base_url=url, trust_env=False, timeout=TIMEOUT_S) as client:
            while self._one(client):
                pass

    def _one(self, client: httpx.Client) -> bool:
        alive = [image_id for image_id, promise in self.promises.items() if promise.must_exist]
        action = self._random.choices(["upload", "correct", "delete"], [5, 4, 2])[0] if alive else "upload"
        try:
            if action == "upload":
                self._upload(client)
            elif action == "correct":
                self._correct(client, self._random.choice(alive))
            else:
                self._delete(client, self._random.choice(alive))
        except httpx.TransportError:
            self._outcome.cut_off[action] += 1
            return False
        return True

    def _upload(self, client: httpx.Client) -> None:
        content = self._random.randbytes(self._random.randint(100, LARGEST_BYTES))
        label = self._random.choice(LABELS)
        record = new_image(content, label=label).model_dump_json()
        answer = client.post("/v1/images", data={"record": record}, files={"original": content, "preview": PREVIEW})
        if self._is_done(answer, "upload"):
            self.promises[UUID(answer.json()["id"])] = Promise(content, {label})

    def _correct(self, client: httpx.Client, image_id: UUID) -> None:
        promise = self.promises[image_id]
        label = self._random.choice(LABELS)
        promise.labels = promise.labels | {label}  # it may be cut off, done or not
        if self._is_done(client.patch(f"/v1/images/{image_id}", json={"label": label}), "correct"):
            promise.labels = {label}

    def _delete(self, client: httpx.Client, image_id: UUID) -> None:
        promise = self.promises[image_id]
        promise.must_exist = False
        if self._is_done(client.delete(f"/v1/images/{image_id}"), "delete"):
            promise.may_exist = False

    def _is_done(self, answer: httpx.Response, action: str) -> bool:
        if answer.is_success:
            self._outcome.acknowledged[action] += 1
        elif answer.status_code not in {503, 504}:
            self._outcome.refused.append(f"{action}: {answer.status_code} {answer.text}")
        return answer.is_success


def run(kills: int, database_url: str, folder: Path, *, seed: int = 0) -> Outcome:
    """Kill the service so often, and return what came of it; the database has its schema."""
    outcome = Outcome()
    chance = random.Random(seed)
    workers = [Worker(number, outcome) for number in range(WORKERS)]
    settings = {"database_url": database_url, "store_url": f"file://{folder}/store", "index_dir": f"{folder}/index"}
    for _ in _progress(kills):
        with live_service(folder, **settings) as service, ThreadPoolExecutor(WORKERS) as threads:
            service.wait_until_ready()
            working = [threads.submit(worker.work, service.url) for worker in workers]
            enough = outcome.acknowledged.total() + chance.randint(0, MOST_CHANGES)
            while outcome.acknowledged.total() < enough and not any(each.done() for each in working):
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.1))
            service.process.send_signal(signal.SIGKILL)
            for each in working:
                each.result()
        outcome.kills += 1
    with live_service(folder, **settings) as service:
        service.wait_until_ready()
        for worker in workers:
            outcome.broken_promises += _broken(service, worker.promises)
        service.process.send_signal(signal.SIGTERM)
        service.process.wait(TIMEOUT_S)
    outcome.found = check(folder, settings)
    check(folder, settings, "--repair")
    outcome.left = check(folder, settings)
    return outcome


def _broken(service: LiveService, promises: dict[UUID, Promise]) -> Iterator[str]:
    with httpx.Client(base_url=service.url, trust_env=False, timeout=TIMEOUT_S) as client:
        for image_id, promise in promises.items():
            record = client.get(f"/v1/images/{image_id}")
            if record.status_code == 404:
                if promise.must_exist:
                    yield f"{image_id} is lost"
            elif not promise.may_exist:
                yield f"{image_id} was deleted and is there"
            elif record.json()["label"]["value"] not in promise.labels:
                yield f"{image_id} is a {record.json()['label']['value']}, not one of {promise.labels}"
            elif client.get(f"/v1/images/{image_id}/content").content != promise.content:
                yield f"{image_id} has other bytes"
            elif client.get(f"/v1/images/{image_id}/preview").content != PREVIEW:
                yield f"{image_id} has another preview"


def check(folder: Path, settings: dict[str, str], *arguments: str) -> dict[str, int]:
    """Return how many findings of each kind storage-check tells."""
    report = folder / "found.json"
    command = [sys.executable, "-m", "storage_service.checking.command", "--settle", "0", "--json", str(report)]
    done = subprocess.run(
        [*command, *arguments], cwd=folder, env=environment(**settings), capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 1}, done.stderr
    found: dict[str, int] = json.loads(report.read_text(encoding="utf-8"))["summary"]["found"]
    return found


def _progress(kills: int) -> Iterator[int]:
    for kill in range(kills):
        if sys.stderr.isatty():
            sys.stderr.write(f"\rkill {kill + 1} of {kills} ")
        yield kill


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "nothing"


@contextmanager
def _new_mysql_database(server_url: str) -> Iterator[str]:
    """Make a database with the schema on a server, and drop it in the end."""
    server = make_url(server_url)
    name = f"legenda_kills_{uuid4().hex}"
    asyncio.run(_execute(server, f"CREATE DATABASE {name} CHARACTER SET utf8mb4"))
    try:
        url = server.set(database=name).render_as_string(hide_password=False)
        asyncio.run(_migrate(url))
        yield url
    finally:
        asyncio.run(_execute(server, f"DROP DATABASE {name}"))


async def _execute(server: URL, statement: str) -> None:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


async def _migrate(database_url: str) -> None:
    engine = open_engine(database_url)
    await schema.upgrade(engine)
    await engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="how often (default: 50)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills (default: 0)")
    parser.add_argument("--only", choices=["SQLite", "MySQL"], help="leave the other one out")
    options = parser.parse_args()
    mysql_url = os.environ.get("LEGENDA_TEST_MYSQL_URL")
    is_good = True
    with tempfile.TemporaryDirectory() as temporary:
        for engine in ("SQLite", "MySQL") if mysql_url else ("SQLite",):
            if options.only not in {None, engine}:
                continue
            folder = Path(temporary) / engine
            folder.mkdir()
            started_s = time.monotonic()
            sqlite = nullcontext(f"sqlite+aiosqlite:///{folder}/legenda.sqlite3")
            with _new_mysql_database(mysql_url) if mysql_url and engine == "MySQL" else sqlite as database_url:
                outcome = run(options.kills, database_url, folder, seed=options.seed)
            print(f"{engine}, {time.monotonic() - started_s:.0f} s\n{outcome}", flush=True)
            is_good = is_good and outcome.is_good
    if not mysql_url:
        print("MySQL: not run, LEGENDA_TEST_MYSQL_URL names no server")
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
