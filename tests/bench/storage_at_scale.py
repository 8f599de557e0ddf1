"""Measure storage-service with many images: fill a database, start the real service on it, ask it over HTTP.

    python -m tests.bench.storage_at_scale CAPTIONS.csv --rows 1000000 \
        --database mysql+asyncmy://USER:PW@HOST/EMPTY_DATABASE --json scale.json

CAPTIONS.csv has a column `caption` (Flickr8k's, say); they are crossed with made-up file names. Without --database it
measures SQLite in a temporary folder. A database that has images already is refused, but for --resume: then only the
rows that are missing are filled in, and nothing is measured at --small rows. Most rows are written straight
into the tables, as storage-service itself computes them; what an insert costs is measured through HTTP, at --small rows
and at the end: the bodies are encoded before, the answers are read after. The times of searches are of whole requests
on one connection, `limit=50`, with the records read.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.batch_contracts import NewImages
from shared.contracts import Alternative, CaptionAnswer, ClassificationAnswer, ModelName, NewImage
from storage_service import label_counts, schema
from storage_service.database import for_writing, open_engine
from storage_service.new_images import image_of
from storage_service.postings import EVERY_IMAGE, Indexed, learn
from storage_service.tables import Analysis, Image, LabelChange, Posting
from tests.live_platform import free_ports

CHUNK_ROWS = 2000
IMAGES_A_BATCH = 100
CLIENTS = 2
ORIGINAL_BYTES = 20_000
PREVIEW_BYTES = 4_000
READY_TIMEOUT_S = 300
BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
BETWEEN = timedelta(seconds=90)

LABELS = ("photo", "screenshot", "meme", "scan", "note", "chart", "diagram", "selfie", "receipt", "poster")
PLACES = ("beach", "garden", "lisbon", "office", "summer", "winter", "birthday", "mountains", "IMG", "DSC", "holiday")
CAPTIONER, CLASSIFIER = ModelName(name="vgg16-attention", version="1"), ModelName(name="vgg16-opencv", version="1")


@dataclass(frozen=True)
class Measured:
    """One line of the table."""

    what: str
    value: float
    unit: str
    wanted: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.storage_at_scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("captions", type=Path)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--small", type=int, default=10_000, help="rows to compare the cost of an insert with")
    parser.add_argument("--inserts", type=int, default=2000, help="images stored over HTTP each time")
    parser.add_argument("--queries", type=int, default=100, help="requests for each time")
    parser.add_argument("--resume", action="store_true", help="go on with the rows that an earlier run has left")
    parser.add_argument("--database", help="URL of an empty database; SQLite in a temporary folder without it")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="legenda-bench-") as folder:
        url = options.database or f"sqlite+aiosqlite:///{folder}/legenda.sqlite3"
        measured = measure(
            read_captions(options.captions),
            database_url=url,
            folder=Path(folder),
            rows=options.rows,
            small=min(options.small, options.rows),
            inserts=options.inserts,
            queries=options.queries,
            resume=options.resume,
        )
    for line in measured:
        print(f"{line.what:<58}{line.value:>12,.1f} {line.unit:<10} {line.wanted}")
    if options.json:
        options.json.write_text(json.dumps([vars(line) for line in measured], indent=2) + "\n")


def read_captions(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8") as file:
        return [row["caption"] for row in csv.DictReader(file)]


def measure(
    captions: list[str],
    *,
    database_url: str,
    folder: Path,
    rows: int,
    small: int,
    inserts: int,
    queries: int,
    resume: bool = False,
) -> list[Measured]:
    """Fill, ask, and return what came of it; `resume` takes a database that has rows, and leaves `small` out."""
    environment = {
        **os.environ,
        "STORAGE_DATABASE_URL": database_url,
        "STORAGE_INDEX_DIR": str(folder / "index"),
        "STORAGE_STORE_URL": f"file://{folder}/store",
        "STORAGE_LOG_LEVEL": "warning",
    }
    drawn = random.Random(0)
    filled = asyncio.run(_rows_there(database_url))
    if filled and not resume:
        sys.exit("the database has images already; name an empty one, or take what is there with --resume")
    lines: list[Measured] = []
    cost_small_ms = None
    if not filled:
        filled = asyncio.run(fill(database_url, captions, first=0, rows=small, drawn=drawn))
        with _service(environment) as (client, process):
            cost_small_ms, _, _ = _inserted(client, process, captions, inserts)
            lines += [
                Measured(f"insert at {small:,} rows, per image", cost_small_ms, "ms"),
                Measured(f"memory of the service at {small:,} rows", _memory_mb(process), "MB", "< 150"),
            ]
    missing = max(0, rows - filled)
    rows = filled + missing
    started = time.perf_counter()
    if missing:
        asyncio.run(fill(database_url, captions, first=filled, rows=missing, drawn=drawn))
    filled_s = time.perf_counter() - started
    lines += [Measured("rows", rows, ""), Measured(f"{missing:,} filled straight into the tables", filled_s, "s")]
    with _service(environment) as (client, process):
        lines += [*_searches(client, queries), *_depths(client, rows, queries), *_labels(client, queries)]
        cost_ms, rate, processor_ms = _inserted(client, process, captions, inserts)
        lines.append(Measured(f"insert at {rows:,} rows, per image", cost_ms, "ms"))
        if cost_small_ms is not None:
            lines.append(Measured("insert, ratio", cost_ms / cost_small_ms, "", "< 1.5"))
        lines += [
            Measured("inserted through HTTP", rate, "images/s", ">= 500"),
            Measured("processor time of the service, per image", processor_ms, "ms"),
            Measured(f"memory of the service at {rows:,} rows", _memory_mb(process), "MB", "< 250"),
        ]
    return lines


def _searches(client: httpx.Client, queries: int) -> Iterator[Measured]:
    asked = {
        "rare word": "unicyclist",
        "missing word": "zyzzyva",
        "common word, dog": "dog",
        "common word, man": "man",
        "two common words": "dog man",
        "common and rare word": "man unicycle",
        'phrase, "black dog"': '"black dog"',
        "beginning of many words, s": "s",
        "beginning of some words, snow": "snow",
        "number in a name": "DSC 004242",
    }
    for what, q in asked.items():
        for sort in ("relevance", "newest"):
            times = [_timed(client, {"q": q, "sort": sort, "limit": 50})[1] for _ in range(queries)]
            yield Measured(f"search, {what}, {sort}, p95", _p95_ms(times), "ms", "< 50")


def _depths(client: httpx.Client, rows: int, queries: int) -> Iterator[Measured]:
    depth = min(10_000, rows // 20)
    filters: dict[str, dict[str, str | int | float]] = {
        "label": {"label": "photo"},
        "label and word": {"label": "photo", "q": "dog", "sort": "relevance"},
        "status, confidence and date": {
            "status": "complete",
            "min_confidence": 0.5,
            "created_after": (BEGAN + BETWEEN).isoformat(),
        },
    }
    for what, filtered in filters.items():
        cursor = None
        seen = 0
        while seen < depth:
            page, _ = _timed(client, {**filtered, "limit": min(200, depth), **({"cursor": cursor} if cursor else {})})
            seen, cursor = seen + len(page["items"]), page["next_cursor"]
            if cursor is None:
                break
        deep, first = [], []
        for _ in range(queries):  # in turns, so that both see the same machine
            first.append(_timed(client, {**filtered, "limit": 50})[1])
            if cursor is not None:
                deep.append(_timed(client, {**filtered, "limit": 50, "cursor": cursor})[1])
        if deep:
            median_first, median_deep = sorted(first)[len(first) // 2], sorted(deep)[len(deep) // 2]
            yield Measured(f"page by {what}, first, median", median_first * 1000, "ms")
            yield Measured(f"page by {what}, at depth {seen:,}, median", median_deep * 1000, "ms")
            yield Measured(f"page by {what}, ratio", median_deep / median_first, "", "< 1.5")


def _labels(client: httpx.Client, queries: int) -> Iterator[Measured]:
    times = []
    for _ in range(queries):
        started = time.perf_counter()
        client.get("/v1/labels").raise_for_status()
        times.append(time.perf_counter() - started)
    yield Measured("counts of labels, p95", _p95_ms(times), "ms", "< 20")


def _inserted(
    client: httpx.Client, process: psutil.Process, captions: list[str], images: int
) -> tuple[float, float, float]:
    """Store images that nobody has seen yet, in batches.

    Returns:
        The time of one image in a request in ms, how many a second came in together, and the time that the service's
        process had a processor for each, in ms.
    """
    run = uuid4().hex
    bodies = [
        _batch(captions, first, min(IMAGES_A_BATCH, images - first), run) for first in range(0, images, IMAGES_A_BATCH)
    ]

    def post(body: httpx.Request) -> tuple[float, httpx.Response]:
        began = time.perf_counter()
        response = client.post("/v1/images/batch", content=body.content, headers=body.headers)
        return time.perf_counter() - began, response

    answers = [post(_batch(captions, 0, 10, f"{run} first"))[1]]
    used_s, started = _processor_s(process), time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        posted = list(pool.map(post, bodies))
    took_s, used_s = time.perf_counter() - started, _processor_s(process) - used_s
    for response in [*answers, *(response for _, response in posted)]:
        response.raise_for_status()
        assert all(item["outcome"] == "stored" for item in response.json()["items"])
    times = sorted(took for took, _ in posted)
    each_ms = times[len(times) // 2] / (CLIENTS * min(IMAGES_A_BATCH, images)) * 1000
    return each_ms, images / took_s, used_s / images * 1000


def _batch(captions: list[str], first: int, images: int, name: str) -> httpx.Request:
    """Return a request with its body encoded."""
    contents = [random.Random(f"{name} {at}").randbytes(ORIGINAL_BYTES) for at in range(first, first + images)]
    drawn = random.Random(f"{name} {first}")
    records = [
        _new(drawn.choice(captions), at, hashlib.sha256(each).hexdigest(), drawn)
        for at, each in enumerate(contents, first)
    ]
    files = [
        ("records", ("records.json", NewImages(records).model_dump_json().encode())),
        *(("original", ("original", content)) for content in contents),
        *(("preview", ("preview", content[:PREVIEW_BYTES])) for content in contents),
    ]
    request = httpx.Request("POST", "http://storage/", files=files)
    request.read()
    del request.headers["host"]
    return request


def _new(caption: str, at: int, sha256: str, drawn: random.Random) -> NewImage:
    label = drawn.choices(LABELS, weights=range(len(LABELS), 0, -1))[0]
    sure = round(drawn.uniform(0.3, 1), 4)
    return NewImage(
        filename=f"{drawn.choice(PLACES)}_{at:06}.jpg",
        sha256=sha256,
        media_type="image/jpeg",
        width=640,
        height=480,
        classification=ClassificationAnswer(
            label=label, labels=[Alternative(value=label, confidence=sure)], model=CLASSIFIER
        ),
        caption=CaptionAnswer(captions=[Alternative(value=caption, confidence=0.5)], model=CAPTIONER),
    )


async def fill(database_url: str, captions: list[str], *, first: int, rows: int, drawn: random.Random) -> int:
    """Write rows as the service would, but many in a statement, and without their files; return how many there are."""
    engine = open_engine(database_url)
    await schema.upgrade(engine)
    stored = await _last_row(engine)
    if first == 0 and stored:
        sys.exit("the database has images already; name an empty one")
    for begin in range(first, first + rows, CHUNK_ROWS):
        async with for_writing(engine).begin() as connection:
            await _fill_chunk(connection, captions, begin, min(CHUNK_ROWS, first + rows - begin), stored + 1, drawn)
        stored += min(CHUNK_ROWS, first + rows - begin)
        if (begin // CHUNK_ROWS) % 25 == 0:
            print(f"{begin:,} of {first + rows:,} rows", file=sys.stderr, flush=True)
    async with for_writing(engine).begin() as connection:
        while await connection.run_sync(label_counts.fold):
            pass
    await engine.dispose()
    return stored


async def _rows_there(database_url: str) -> int:
    engine = open_engine(database_url)
    await schema.upgrade(engine)
    stored = await _last_row(engine)
    await engine.dispose()
    return stored


async def _last_row(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return await connection.scalar(select(func.max(Image.seq))) or 0


async def _fill_chunk(  # noqa: PLR0917
    connection: AsyncConnection, captions: list[str], begin: int, rows: int, first_seq: int, drawn: random.Random
) -> None:
    images, analyses, counts = [], [], dict[str, int]()
    postings: list[tuple[str, int, int]] = []
    for at in range(rows):
        new = _new(drawn.choice(captions), begin + at, f"{begin + at:064x}", drawn)
        image = image_of(new, size_bytes=ORIGINAL_BYTES)
        image.seq, image.created_at = first_seq + at, BEGAN + BETWEEN * (begin + at)
        images.append(image.row() | {"seq": image.seq})
        analyses += [said.row() | {"image_seq": image.seq} for said in image.analyses]
        postings += [(word, image.seq, relevance) for word, relevance in Indexed.of(image).postings().items()]
        counts[image.label] = counts.get(image.label, 0) + 1
    await connection.execute(insert(Image), images)
    await connection.execute(insert(Analysis), analyses)
    postings.sort()
    # Words are ASCII letters, digits, `_` and `:`; written out, since binding twenty million of them takes longer.
    for share in range(0, len(postings), 10_000):
        values = ",".join(f"('{word}',{seq},{relevance})" for word, seq, relevance in postings[share : share + 10_000])
        await connection.exec_driver_sql(f"INSERT INTO {Posting.__tablename__} (word, seq, relevance) VALUES {values}")
    await connection.run_sync(learn, {word for word, _, _ in postings if not word.startswith(EVERY_IMAGE)})
    await connection.execute(insert(LabelChange), [{"label": label, "images": by} for label, by in counts.items()])


@contextmanager
def _service(environment: dict[str, str]) -> Iterator[tuple[httpx.Client, psutil.Process]]:
    port = free_ports(1)[0]
    command = [sys.executable, "-m", "storage_service"]
    process = subprocess.Popen(command, env={**environment, "STORAGE_PORT": str(port)})
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            give_up = time.monotonic() + READY_TIMEOUT_S
            while not _is_ready(client):
                if process.poll() is not None or time.monotonic() > give_up:
                    sys.exit("storage-service does not get ready")
                time.sleep(0.1)
            yield client, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/health/ready").is_success
    except httpx.TransportError:
        return False


def _timed(
    client: httpx.Client, params: dict[str, str | int | float]
) -> tuple[dict[str, list[object] | str | None], float]:
    started = time.perf_counter()
    response = client.get("/v1/images", params=params)
    response.raise_for_status()
    return response.json(), time.perf_counter() - started


def _p95_ms(times_s: list[float]) -> float:
    return sorted(times_s)[min(len(times_s) - 1, int(len(times_s) * 0.95))] * 1000


def _processor_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _memory_mb(process: psutil.Process) -> float:
    return process.memory_info().rss / 1e6


if __name__ == "__main__":
    main()
