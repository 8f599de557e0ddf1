"""What there is to do, and what is done: a folder of small files that outlives whoever does it.

    manifest.json           what is looked at by which models; written last, so that a listing cut off is begun anew
    keys/00042.json         the images of chunk 42
    results/00042.parquet   what the models said of them
    done/00042.json         the results are whole
    loaded/00042.json       storage has them

A chunk is done when its file in `done` is there, which is written after its results; whatever a kill leaves, the same
command goes on. The folder may be a bucket: writing an object is all or nothing, as it is here for files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from obstore.store import ObjectStore

MANIFEST = "manifest.json"
FORMAT = 1
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif")


class OtherJob(Exception):
    """The folder belongs to another job; the message is one sentence that says which and what to do."""


@dataclass(frozen=True)
class Plan:
    """What a job is; two runs with equal plans are one job."""

    source: str
    caption_model: str
    """Name and version: `attention@2026.11.24`."""
    classifier: str
    chunk_images: int
    limit: int | None
    """Most images that are looked at; all where None."""


def begin(out: ObjectStore, source: ObjectStore, plan: Plan) -> int:
    """Return the number of chunks: of the job that is there, or of a new listing of the source.

    Raises:
        OtherJob: the folder was begun with another plan.
    """
    before = _read(out, MANIFEST)
    if before is not None:
        if differing := [name for name, value in asdict(plan).items() if before["plan"].get(name) != value]:
            told = ", ".join(f"{name} {before['plan'].get(name)!r}" for name in differing)
            raise OtherJob(f"the folder belongs to a job with {told}: go on with that, or name a new folder")
        return int(before["chunks"])
    chunks = images = 0
    for chunks, keys in enumerate(_chunked(_images(source, plan.limit), plan.chunk_images), start=1):
        images += len(keys)
        _write(out, f"keys/{chunk_name(chunks - 1)}.json", keys)
    _write(out, MANIFEST, {"format": FORMAT, "plan": asdict(plan), "images": images, "chunks": chunks})
    return chunks


def open_chunks(out: ObjectStore, chunks: int, *, step: str = "done") -> list[str]:
    """Return the names of the chunks that have not passed a step, first to last."""
    passed = {_stem(path) for path in _paths(out, f"{step}/")}
    return [name for name in map(chunk_name, range(chunks)) if name not in passed]


def keys_of(out: ObjectStore, chunk: str) -> list[str]:
    """Return the images of a chunk, as paths below the source."""
    keys = _read(out, f"keys/{chunk}.json")
    if keys is None:
        raise FileNotFoundError(f"keys/{chunk}.json")
    return list(keys)


def pass_step(out: ObjectStore, chunk: str, account: dict[str, Any], *, step: str = "done") -> None:
    """Note that a chunk has passed a step, and what came of it; only what is noted is not done again."""
    _write(out, f"{step}/{chunk}.json", account)


def accounts(out: ObjectStore, *, step: str = "done") -> Iterator[dict[str, Any]]:
    """Yield what was noted of each chunk that has passed a step."""
    for path in sorted(_paths(out, f"{step}/")):
        account = _read(out, path)
        if account is not None:
            yield account


def results_path(chunk: str) -> str:
    """Return where a chunk's results lie."""
    return f"results/{chunk}.parquet"


def chunk_name(number: int) -> str:
    """Return the name of a chunk by its place."""
    return f"{number:07}"


def _images(source: ObjectStore, limit: int | None) -> Iterator[str]:
    found = 0
    for path in _paths(source, ""):
        if path.lower().endswith(ENDINGS) and not any(part.startswith(".") for part in path.split("/")):
            if found == limit:
                return
            found += 1
            yield path


def _chunked(keys: Iterator[str], size: int) -> Iterator[Sequence[str]]:
    chunk: list[str] = []
    for key in keys:
        chunk.append(key)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _paths(store: ObjectStore, prefix: str) -> Iterator[str]:
    for page in store.list(prefix or None, chunk_size=1000):
        yield from (each["path"] for each in page)


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0]


def _read(store: ObjectStore, path: str) -> Any:
    try:
        return json.loads(bytes(store.get(path).bytes()))
    except FileNotFoundError:
        return None


def _write(store: ObjectStore, path: str, value: Any) -> None:
    store.put(path, json.dumps(value).encode())
