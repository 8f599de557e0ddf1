"""Measure `storage-check` on many images: how long it takes, and how much memory it ever had.

    python -m tests.bench.checking --rows 100000
    python -m tests.bench.checking --database mysql+asyncmy://USER:PW@HOST/FILLED_DATABASE

With --database every image that is in it (tests.bench.storage_at_scale fills one), else made-up ones in SQLite, gets
its files in a temporary folder: an original of the right length, all zeros and of no room on the disk, and a preview of
one byte. So --quick finds nothing; with --full every original is read, too, and is a finding, since its SHA-256 is
wrong. Nothing is repaired.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import psutil

from storage_service.database import Database, open_engine
from storage_service.filenames import preview_path
from storage_service.stored_files import INCOMING, PREVIEWS
from tests.bench.storage_at_scale import fill, read_captions

PAGE_ROWS = 5000
LOOK_EVERY_S = 0.05
LAST_LINE_BYTES = 500
CAPTIONS = ["a black dog runs", "a man on a unicycle", "two dogs and a man in the snow"]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.checking", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000, help="to make up where no database is named")
    parser.add_argument("--captions", type=Path, help="CSV with a column `caption`; three sentences without it")
    parser.add_argument("--database", help="URL of a database that has images")
    parser.add_argument("--full", action="store_true", help="read every original, too, and find each to be wrong")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="legenda-bench-") as folder:
        url = options.database or f"sqlite+aiosqlite:///{folder}/legenda.sqlite3"
        if not options.database:
            captions = read_captions(options.captions) if options.captions else CAPTIONS
            asyncio.run(fill(url, captions, first=0, rows=options.rows, drawn=random.Random(0)))
        images = asyncio.run(place_files(url, Path(folder) / "store"))
        for mode in [["--quick"], *([[]] if options.full else [])]:
            took_s, memory_mb, told = checked(url, Path(folder), mode)
            print(
                f"storage-check {' '.join(mode)}: {images:,} images, {took_s:.0f} s, at most {memory_mb:.0f} MB: {told}"
            )


async def place_files(url: str, store: Path) -> int:
    """Give each image its files; return how many images there are."""
    engine = open_engine(url)
    (store / PREVIEWS).mkdir(parents=True)
    (store / INCOMING).mkdir()
    folders: set[Path] = set()
    images = after = 0
    while True:
        async with Database(engine).reading() as repository:
            rows = await repository.filed.page(after=after, limit=PAGE_ROWS)
        if not rows:
            await engine.dispose()
            return images
        for row in rows:
            original = store / row.path
            if original.parent not in folders:
                original.parent.mkdir(exist_ok=True)
                folders.add(original.parent)
            original.touch()
            os.truncate(original, row.size_bytes)
            (store / preview_path(row.id)).write_bytes(b"x")
        after, images = rows[-1].seq, images + len(rows)


def checked(url: str, folder: Path, options: list[str]) -> tuple[float, float, str]:
    """Run the command; return its time in s, the most memory that was seen of it in MB, and its last line."""
    settings = {"STORAGE_DATABASE_URL": url, "STORAGE_STORE_URL": f"file://{folder}/store"}
    command = [
        sys.executable,
        "-m",
        "storage_service.checking.command",
        "--json",
        str(folder / "findings.json"),
        *options,
    ]
    started, most_bytes = time.perf_counter(), 0
    with (folder / "told").open("w+") as told:
        process = psutil.Popen(command, env={**os.environ, **settings}, stdout=told)
        while process.poll() is None:
            with contextlib.suppress(psutil.NoSuchProcess):
                most_bytes = max(most_bytes, process.memory_info().rss)
            time.sleep(LOOK_EVERY_S)
        took_s = time.perf_counter() - started
        if process.returncode not in {0, 1}:
            sys.exit(f"storage-check ended with {process.returncode}")
        told.seek(max(0, os.fstat(told.fileno()).st_size - LAST_LINE_BYTES))
        last = told.read().splitlines()[-1]
    return took_s, most_bytes / 1e6, last


if __name__ == "__main__":
    main()
