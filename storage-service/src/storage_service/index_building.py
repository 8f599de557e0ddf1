"""Write the indexes of similar images: `storage-index`, which the service also runs by itself when one is behind.

It is a process of its own since a million vectors take more memory to build than the service may use.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DBAPIError
from usearch.index import Index

from shared.app import StartupError
from shared.errors import ServiceError
from storage_service.database import Database, open_engine
from storage_service.schema import require_current
from storage_service.settings import StorageSettings
from storage_service.similarity import OVERLAP_ROWS
from storage_service.vector_index import (
    MOST_GONE,
    DamagedIndex,
    add,
    forget_others,
    load_index,
    new_index,
    read_manifest,
    write_snapshot,
)
from storage_service.vectors import from_bytes

log = logging.getLogger(__name__)

PAGE_ROWS = 10_000
LOCK_FILE = "storage-index.lock"
NICENESS = 10


@dataclass(frozen=True)
class Built:
    """What was done for one encoder."""

    encoder: str
    rows: int
    added: int
    took_s: float


def main() -> None:
    """Run `storage-index`."""
    parser = argparse.ArgumentParser(
        prog="storage-index",
        description="Bring the index of similar images in STORAGE_INDEX_DIR up to date with the database. The service "
        "does it by itself, too; searching goes on meanwhile.",
        epilog="Example: storage-index --rebuild",
    )
    parser.add_argument("--rebuild", action="store_true", help="build it from nothing, whatever there is")
    parser.add_argument(
        "--at-least", type=int, default=1, metavar="ROWS", help="leave out encoders with fewer images (default: 1)"
    )
    options = parser.parse_args()
    settings = StorageSettings()
    logging.getLogger("asyncmy").setLevel(logging.ERROR)
    os.nice(NICENESS)
    try:
        built = asyncio.run(
            _build(
                settings.database_url, settings.index_dir, from_nothing=options.rebuild, at_least_rows=options.at_least
            )
        )
    except StartupError as error:
        sys.exit(f"storage-index cannot run: {error}")
    for one in built:
        sys.stdout.write(f"{one.encoder}: {one.rows} images, {one.added} of them new, in {one.took_s:.1f} s\n")
    if not built:
        sys.stdout.write("No image has an embedding yet: nothing to index.\n")


async def build_all(database: Database, folder: Path, *, from_nothing: bool, at_least_rows: int = 1) -> list[Built]:
    """Bring every encoder's index up to date.

    Raises:
        StartupError: another process is at it, or the folder does not take files.
    """
    try:
        with _only_one(folder):
            async with database.reading() as images:
                encoders = await images.embeddings.encoders()
            forget_others(folder, encoders)
            wanted = {encoder: rows for encoder, rows in encoders.items() if rows >= at_least_rows}
            return [
                await _build_one(database, folder, encoder, rows, from_nothing=from_nothing)
                for encoder, rows in wanted.items()
            ]
    except OSError as error:
        raise StartupError(f"the folder {folder} cannot be used: {error.strerror}") from error


async def _build(database_url: str, folder: Path, *, from_nothing: bool, at_least_rows: int) -> list[Built]:
    engine = open_engine(database_url)
    try:
        await require_current(engine)
        return await build_all(Database(engine), folder, from_nothing=from_nothing, at_least_rows=at_least_rows)
    except DBAPIError as error:
        raise StartupError(f"the database cannot be used: {error.orig}") from error
    except ServiceError as error:
        raise StartupError(error.detail) from error
    finally:
        await engine.dispose()


async def _build_one(database: Database, folder: Path, encoder: str, rows: int, *, from_nothing: bool) -> Built:
    started_s = time.monotonic()
    usable = None if from_nothing else await _usable(database, folder, encoder)
    if usable is not None:
        index, through = usable
        before = len(index)
        last = await _add_rows(database, index, encoder, after=through)
        if len(index) - rows <= MOST_GONE * len(index):
            if len(index) > before:
                write_snapshot(folder, index, encoder=encoder, through=max(through, last - OVERLAP_ROWS))
            return Built(encoder, len(index), len(index) - before, time.monotonic() - started_s)
    index = new_index()
    last = await _add_rows(database, index, encoder, after=0)
    if len(index):
        write_snapshot(folder, index, encoder=encoder, through=max(0, last - OVERLAP_ROWS))
    return Built(encoder, len(index), len(index), time.monotonic() - started_s)


async def _usable(database: Database, folder: Path, encoder: str) -> tuple[Index, int] | None:
    """Return an index that can be added to, and up to which number it goes."""
    try:
        manifest = read_manifest(folder, encoder)
        if manifest is None:
            return None
        async with database.reading() as images:
            if not await images.embeddings.agree_with(manifest):
                raise DamagedIndex("it was built from another database")
        return load_index(folder, manifest), manifest.through
    except DamagedIndex as error:
        log.warning("index_damaged", extra={"encoder": encoder, "reason": str(error)})
        return None


async def _add_rows(database: Database, index: Index, encoder: str, *, after: int) -> int:
    """Add what is numbered behind; return the last number."""
    threads = os.cpu_count() or 1
    while True:
        async with database.reading() as images:
            rows = await images.embeddings.page(encoder, after=after, limit=PAGE_ROWS)
        if rows:
            after = rows[-1][0]
            vectors = from_bytes(*(vector for _, vector in rows))
            add(index, [seq for seq, _ in rows], vectors, threads=threads)
        if len(rows) < PAGE_ROWS:
            return after


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_FILE).open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartupError(f"another storage-index is at work in {folder}") from error
        yield


if __name__ == "__main__":
    main()
