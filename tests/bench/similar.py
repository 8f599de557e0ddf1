"""Measure similar images: a database of made-up rows, `storage-index` on it, then the real service over HTTP.

    python -m tests.bench.similar --vectors .data/bench/alterations.npz --rows 10000 100000 1000000 --json similar.json

The vectors are real ones (tests.bench.near_duplicates keeps them) mixed by threes with a little noise, so that they lie
as real ones do. Recall is against a comparison with every vector.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx
import numpy as np
import numpy.typing as npt
import psutil
from sqlalchemy import insert

from storage_service import schema
from storage_service.database import for_writing, open_engine
from storage_service.tables import Embedding, Image
from storage_service.uuid7 import uuid7
from tests.live_platform import free_ports

ENCODER = "bench@1"
CHUNK_ROWS = 10_000
NEAREST = 10
READY_TIMEOUT_S = 120

Bytes = npt.NDArray[np.int8]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.similar", description=__doc__)
    parser.add_argument("--vectors", type=Path, required=True, help="npz with real embeddings under `embeddings`")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    real = np.load(options.vectors)["embeddings"].astype(np.float32)
    measured = []
    for rows in options.rows:
        with tempfile.TemporaryDirectory(prefix="legenda-bench-") as folder:
            measured.append(_measure(Path(folder), real, rows, options.queries))
        for name, value in measured[-1].items():
            print(f"{name:<40}{value:>14,.3f}" if isinstance(value, float) else f"{name:<40}{value:>14,}")
        print(flush=True)
    if options.json:
        options.json.write_text(json.dumps(measured, indent=2) + "\n")


def _measure(folder: Path, real: npt.NDArray[np.float32], rows: int, queries: int) -> dict[str, float]:
    vectors = _mixed(real, rows)
    environment = {
        **os.environ,
        "STORAGE_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/legenda.sqlite3",
        "STORAGE_INDEX_DIR": str(folder / "index"),
        "STORAGE_STORE_URL": f"file://{folder}/store",
        "STORAGE_LOG_LEVEL": "warning",
    }
    ids = asyncio.run(_fill(environment["STORAGE_DATABASE_URL"], vectors))
    built_s, peak_mb = _built(environment)
    asked = np.random.default_rng(1).choice(rows, queries, replace=False)
    with _service(environment) as (client, process):
        first_s = _timed(client, ids[asked[0]])[1]
        answers = [_timed(client, ids[at]) for at in asked]
        memory = process.memory_full_info()
        anonymous_mb = (memory.rss - getattr(memory, "shared", 0)) / 1e6
    times_ms = np.array([seconds for _, seconds in answers]) * 1000
    found = [answer for answer, _ in answers]
    return {
        "rows": rows,
        "storage-index, s": built_s,
        "storage-index, peak memory, MB": peak_mb,
        "index on disk, MB": sum(file.stat().st_size for file in (folder / "index").iterdir()) / 1e6,
        "first answer (opens the index), s": first_s,
        "GET similar?limit=10, median, ms": float(np.median(times_ms)),
        "GET similar?limit=10, p95, ms": float(np.percentile(times_ms, 95)),
        "recall@10": _recall(vectors, ids, asked, found),
        "service, memory but files, MB": anonymous_mb,
        "service, memory with files, MB": memory.rss / 1e6,
    }


def _mixed(real: npt.NDArray[np.float32], rows: int) -> Bytes:
    random = np.random.default_rng(0)
    mixed = np.empty((rows, real.shape[1]), np.int8)
    for begin in range(0, rows, CHUNK_ROWS):
        count = min(CHUNK_ROWS, rows - begin)
        parts = real[random.integers(0, len(real), (count, 3))]
        shares = random.dirichlet((1.0, 0.5, 0.5), count).astype(np.float32)[:, :, None]
        numbers = (parts * shares).sum(axis=1) + random.normal(0, 0.01, (count, real.shape[1]))
        mixed[begin : begin + count] = np.rint(127 * numbers / np.abs(numbers).max(axis=1, keepdims=True))
    return mixed


async def _fill(database_url: str, vectors: Bytes) -> list[UUID]:
    engine = open_engine(database_url)
    await schema.upgrade(engine)
    ids = [uuid7() for _ in vectors]
    for begin in range(0, len(vectors), CHUNK_ROWS):
        part = range(begin, min(begin + CHUNK_ROWS, len(vectors)))
        async with for_writing(engine).begin() as connection:
            await connection.execute(insert(Image.__table__), [_row(at, ids[at]) for at in part])
            await connection.execute(
                insert(Embedding.__table__),
                [{"image_seq": at + 1, "encoder": ENCODER, "vector": vectors[at].tobytes()} for at in part],
            )
    await engine.dispose()
    return ids


def _row(at: int, image_id: UUID) -> dict[str, object]:
    return {
        "seq": at + 1,
        "id": image_id,
        "sha256": f"{at:064x}",
        "filename": f"{at}.jpg",
        "path": f"photo/{image_id}.jpg",
        "media_type": "image/jpeg",
        "width": 640,
        "height": 480,
        "size_bytes": 1,
        "status": "complete",
        "label": "photo",
        "certainty": 0.9,
        "search_words": f"w_photo w_{at}",
        "word_count": 2,
        "created_at": datetime.now(UTC),
    }


def _built(environment: dict[str, str]) -> tuple[float, float]:
    started = time.perf_counter()
    process = psutil.Popen([str(Path(sys.executable).with_name("storage-index"))], env=environment)
    peak = 0
    while process.poll() is None:
        try:
            peak = max(peak, process.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.05)
    assert process.wait() == 0
    return time.perf_counter() - started, peak / 1e6


@contextmanager
def _service(environment: dict[str, str]) -> Iterator[tuple[httpx.Client, psutil.Process]]:
    port = free_ports(1)[0]
    command = [sys.executable, "-m", "storage_service"]
    process = subprocess.Popen(command, env={**environment, "STORAGE_PORT": str(port)})
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            give_up = time.monotonic() + READY_TIMEOUT_S
            while time.monotonic() < give_up:
                try:
                    if client.get("/health/ready").is_success:
                        break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield client, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _timed(client: httpx.Client, image_id: UUID) -> tuple[list[str], float]:
    started = time.perf_counter()
    response = client.get(f"/v1/images/{image_id}/similar", params={"limit": NEAREST})
    response.raise_for_status()
    seconds = time.perf_counter() - started
    return [item["image"]["id"] for item in response.json()["items"]], seconds


def _recall(vectors: Bytes, ids: list[UUID], asked: npt.NDArray[np.int64], found: list[list[str]]) -> float:
    """Return which part of the truly nearest was found, equal distances counting as equal."""
    wanted = vectors[asked].astype(np.float32)
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    cosines = np.empty((len(asked), len(vectors)), np.float32)
    for begin in range(0, len(vectors), CHUNK_ROWS):
        part = vectors[begin : begin + CHUNK_ROWS].astype(np.float32)
        cosines[:, begin : begin + CHUNK_ROWS] = wanted @ (part / np.linalg.norm(part, axis=1, keepdims=True)).T
    place = {str(image_id): at for at, image_id in enumerate(ids)}
    right = 0
    for row, own, answer in zip(cosines, asked, found, strict=True):
        row[own] = -2
        least = np.partition(row, -NEAREST)[-NEAREST] - 1e-6
        right += sum(row[place[image_id]] >= least for image_id in answer)
    return right / (NEAREST * len(asked))


if __name__ == "__main__":
    main()
