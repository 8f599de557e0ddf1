"""A gallery of many pictures without models: rows written straight into the tables, a drawn picture for each shape."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from storage_service.filenames import preview_path
from tests.bench.storage_at_scale import fill
from tests.integration.gateway.processes import running
from tests.live_platform import free_ports
from tests.pictures import drawn_picture, encoded

CAPTIONS = [
    "a dog runs through the deep snow",
    "two children play on the beach",
    "a man in a red shirt climbs a rock",
    "a brown dog swims in the lake",
    "people walk down a street at night",
    "a woman with a camera stands by a river",
]
SHAPES = [(640, 480), (480, 640), (600, 400), (500, 500), (640, 360), (400, 600)]


@contextmanager
def large_gallery(folder: Path, rows: int) -> Iterator[str]:
    """Yield the address of a gateway whose storage has as many pictures, added every 90 s since 2020."""
    database = folder / "legenda.sqlite3"
    asyncio.run(fill(f"sqlite+aiosqlite:///{database}", CAPTIONS, first=0, rows=rows, drawn=random.Random(0)))
    _give_shapes(database, folder / "store")
    with services_without_models(folder) as url:
        yield url


@contextmanager
def services_without_models(folder: Path) -> Iterator[str]:
    """Yield the address of a gateway with its storage, which keeps to a folder; the models are away."""
    ports = dict(zip(("GATEWAY", "STORAGE", "CAPTION", "CLASSIFY"), free_ports(4), strict=True))
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    environment = {f"{name}_PORT": str(port) for name, port in ports.items()}
    environment |= {f"GATEWAY_{name}_URL": url for name, url in urls.items() if name != "GATEWAY"}
    environment |= {
        "STORAGE_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'legenda.sqlite3'}",
        "STORAGE_STORE_URL": f"file://{folder / 'store'}",
        "STORAGE_INDEX_DIR": str(folder / "index"),
    }
    with (
        running("storage_service", folder, environment, urls["STORAGE"]),
        running("gateway", folder, environment, urls["GATEWAY"]),
    ):
        yield urls["GATEWAY"]


def _give_shapes(database: Path, store: Path) -> None:
    """Let the pictures have different shapes, each with a drawn preview and original that many share on the disk."""
    store.mkdir()
    drawn = []
    for number, (width, height) in enumerate(SHAPES):
        drawn.append(store / f"shape-{number}.jpg")
        drawn[-1].write_bytes(encoded(drawn_picture(width // 2, height // 2, seed=number), quality=70))
    with sqlite3.connect(database) as connection:
        for number, (width, height) in enumerate(SHAPES):
            sized = "UPDATE images SET width = ?, height = ? WHERE seq % ? = ?"
            connection.execute(sized, (width, height, len(SHAPES), number))
        stored = connection.execute("SELECT id, seq, path FROM images").fetchall()
    connection.close()
    files = [(seq, file) for image, seq, path in stored for file in (path, preview_path(UUID(bytes=image)))]
    for folder in {(store / file).parent for _, file in files}:
        folder.mkdir(parents=True, exist_ok=True)
    for seq, file in files:
        os.link(drawn[seq % len(SHAPES)], store / file)
