"""One encoder's vectors in a file that is searched without being read into memory.

The file is only a cache of the embeddings' table. It is written under a name of its own, synced, and then named by a
manifest that is renamed into place: whoever reads finds the old pair or the new one, and what is damaged, of another
encoder or of another database is found out before a byte of it is trusted.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError
from usearch.compiled import MetricKind, ScalarKind
from usearch.index import Index

from shared.contracts import EMBEDDING_SIZE
from storage_service.vectors import Near, Vector, Vectors

FORMAT = 1
NEIGHBOURS = 16
BUILD_WIDTH = 128
SEARCH_WIDTH = 128
"""Candidates looked at per search; wider finds more and takes longer. tests/bench/similar.py measures both."""
PROBES = 16
MOST_GONE = 0.2
"""Of an index' vectors; with more of them deleted it is built from nothing."""


class DamagedIndex(Exception):
    """What lies on the disk cannot be used; the message says why."""


class Manifest(BaseModel):
    """What a vector file says of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    encoder: str
    file: str
    size_bytes: int
    sha256: str
    rows: int
    through: int
    """Every embedding numbered up to here is in it, or was gone already."""
    probes: dict[int, str]
    """Some of its vectors, in hex: a database that has others under these numbers is another one."""


@dataclass(frozen=True)
class Snapshot:
    """A vector file, mapped into memory."""

    manifest: Manifest
    index: Index

    def search(self, vector: Vector, count: int) -> Near:
        """Return about the nearest vectors."""
        found = self.index.search(vector, min(count, self.manifest.rows), threads=1)
        return dict(zip(found.keys.tolist(), found.distances.tolist(), strict=True))


def new_index() -> Index:
    """Return an empty index of int8 vectors by their angle."""
    return Index(
        ndim=EMBEDDING_SIZE,
        metric=MetricKind.Cos,
        dtype=ScalarKind.I8,
        connectivity=NEIGHBOURS,
        expansion_add=BUILD_WIDTH,
        expansion_search=SEARCH_WIDTH,
    )


def add(index: Index, seqs: list[int], vectors: Vectors, *, threads: int) -> None:
    """Add vectors; those whose numbers are in it already are left as they are."""
    keys = np.asarray(seqs, np.uint64)
    fresh = ~np.asarray(index.contains(keys), bool)
    if fresh.any():
        index.add(keys[fresh], vectors[fresh], threads=threads)


def read_manifest(folder: Path, encoder: str) -> Manifest | None:
    """Return what an encoder's index says of itself, or None where there is none.

    Raises:
        DamagedIndex: it cannot be read, or is another encoder's.
    """
    try:
        manifest = Manifest.model_validate_json(_manifest_path(folder, encoder).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise DamagedIndex(f"its manifest cannot be read: {type(error).__name__}") from error
    if manifest.format != FORMAT or manifest.encoder != encoder or Path(manifest.file).name != manifest.file:
        raise DamagedIndex("its manifest is of another format or encoder")
    return manifest


def open_snapshot(folder: Path, manifest: Manifest) -> Snapshot:
    """Check a vector file whole and map it; blocks for about a second per gigabyte.

    Raises:
        DamagedIndex: it is not the file that the manifest names.
    """
    file = folder / manifest.file
    _check(file, manifest)
    index = new_index()
    index.view(file)
    if len(index) != manifest.rows:
        raise DamagedIndex(f"{file.name} does not hold {manifest.rows} vectors")
    return Snapshot(manifest, index)


def load_index(folder: Path, manifest: Manifest) -> Index:
    """Check a vector file whole and read it into memory, to add to it; raise DamagedIndex."""
    _check(folder / manifest.file, manifest)
    index = new_index()
    index.load(folder / manifest.file)
    return index


def write_snapshot(folder: Path, index: Index, *, encoder: str, through: int) -> Manifest:
    """Put an index in the place of the one before; the caller holds the folder's lock.

    Raises:
        OSError: the folder does not take it.
    """
    keys = np.sort(np.asarray(index.keys, np.uint64))
    file = folder / f"{_stem(encoder)}.{uuid4().hex}.usearch"
    index.save(file)
    with file.open("rb") as written:
        os.fsync(written.fileno())
        sha256 = hashlib.file_digest(written, "sha256").hexdigest()
    probed = [int(key) for key in keys[np.unique(np.linspace(0, len(keys) - 1, PROBES).astype(int))]]
    manifest = Manifest(
        format=FORMAT,
        encoder=encoder,
        file=file.name,
        size_bytes=file.stat().st_size,
        sha256=sha256,
        rows=len(keys),
        through=through,
        probes={key: np.asarray(index.get(key), np.int8).tobytes().hex() for key in probed},
    )
    incoming = folder / f"{file.name}.json"
    with incoming.open("w", encoding="utf-8") as stream:
        stream.write(manifest.model_dump_json(indent=2) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    incoming.replace(_manifest_path(folder, encoder))
    _sync_folder(folder)
    for old in folder.glob(f"{_stem(encoder)}.*.usearch*"):
        if old.name != manifest.file:
            old.unlink(missing_ok=True)
    return manifest


def forget_others(folder: Path, encoders: Iterable[str]) -> None:
    """Remove the indexes of encoders that are not among these."""
    kept = {_stem(encoder) for encoder in encoders}
    for file in folder.glob("similar-*"):
        if file.name.partition(".")[0] not in kept:
            file.unlink(missing_ok=True)


def manifest_stamp(folder: Path, encoder: str) -> tuple[int, int] | None:
    """Return what changes whenever another index is put in place; None where there is none."""
    try:
        status = _manifest_path(folder, encoder).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def _check(file: Path, manifest: Manifest) -> None:
    try:
        with file.open("rb") as stream:
            if os.fstat(stream.fileno()).st_size != manifest.size_bytes:
                raise DamagedIndex(f"{file.name} is not as long as its manifest says")
            if hashlib.file_digest(stream, "sha256").hexdigest() != manifest.sha256:
                raise DamagedIndex(f"{file.name} has another SHA-256 than its manifest says")
    except OSError as error:
        raise DamagedIndex(f"{file.name} cannot be read: {error.strerror}") from error


def _manifest_path(folder: Path, encoder: str) -> Path:
    return folder / f"{_stem(encoder)}.json"


def _stem(encoder: str) -> str:
    return f"similar-{hashlib.sha256(encoder.encode()).hexdigest()[:16]}"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
