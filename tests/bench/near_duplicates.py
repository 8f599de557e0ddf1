"""Measure what tells a near-duplicate from another picture: copies altered in known ways against all other pictures.

    python -m tests.bench.near_duplicates PHOTOS DOCUMENTS --json near-duplicates.json

Everything goes the way of an upload: the gateway's preview, the shipped encoder, storage's bytes and its comparison of
previews. What was computed is kept in .data/bench, since the encoder takes most of the time.
"""

from __future__ import annotations

import argparse
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance, ImageOps

from caption_service.model.embedding import Projection
from caption_service.model.encoder import Encoder
from caption_service.model.preprocessing import read_image
from caption_service.settings import default_encoder
from shared.previews import inspect_image
from storage_service.previews import LEAST_CORRELATION, SIDE_CELLS, cells_of, correlation
from storage_service.similar import NEAR_DUPLICATE_DISTANCE
from storage_service.vectors import from_bytes, to_bytes

BATCH = 16
DISTANCES = (0.03, 0.05, 0.08, 0.10, 0.12, 0.15, 0.20, 0.25)
CORRELATIONS = (-1.0, 0.80, 0.85, 0.90, 0.93, 0.95, 0.97)
ORIGINAL = "original"
TWICE_IN_THE_DATA = 0.995
"""Originals that correlate so well are one picture under two names; look at them before you believe it."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.near_duplicates", description=__doc__)
    parser.add_argument("folders", type=Path, nargs="*", help="folders of pictures, searched below")
    parser.add_argument("--originals", type=int, default=1200, help="at most so many of each folder")
    parser.add_argument("--altered", type=int, default=225, help="so many of each folder are altered in each way")
    parser.add_argument("--cache", type=Path, default=Path(".data/bench/alterations.npz"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not options.cache.is_file():
        _embed(options.folders, options.cache, originals=options.originals, altered=options.altered)
    pictures = _read(options.cache)
    table = _table(pictures)
    for line in table:
        print("  ".join(f"{name} {value:.4g}" for name, value in line.items()))
    for line in _by_alteration(pictures):
        print(f"{line['alteration']:<16}{line['recall']:.3f}")
    if options.json:
        options.json.write_text(json.dumps({"thresholds": table, "shipped": _by_alteration(pictures)}, indent=2) + "\n")


def jpeg(picture: Image.Image, quality: int = 90) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def _cropped(picture: Image.Image, part: float) -> Image.Image:
    across, down = int(picture.width * part / 2), int(picture.height * part / 2)
    return picture.crop((across, down, picture.width - across, picture.height - down))


def _halved(picture: Image.Image) -> Image.Image:
    return picture.resize((max(picture.width // 2, 32), max(picture.height // 2, 32)), Image.Resampling.LANCZOS)


ALTERATIONS: dict[str, Callable[[Image.Image], bytes]] = {
    "jpeg 40": lambda picture: jpeg(picture, 40),
    "half size": lambda picture: jpeg(_halved(picture), 85),
    "crop 4 %": lambda picture: jpeg(_cropped(picture, 0.04)),
    "crop 10 %": lambda picture: jpeg(_cropped(picture, 0.10)),
    "brighter 20 %": lambda picture: jpeg(ImageEnhance.Brightness(picture).enhance(1.2)),
    "darker 20 %": lambda picture: jpeg(ImageEnhance.Brightness(picture).enhance(0.8)),
    "grey": lambda picture: jpeg(picture.convert("L").convert("RGB")),
    "mirrored": lambda picture: jpeg(ImageOps.mirror(picture)),
}
MEANT = [name for name in ALTERATIONS if name not in {"crop 10 %", "mirrored"}]
"""What a near-duplicate is; the others are measured to say what they are not."""


@dataclass(frozen=True)
class Pictures:
    names: npt.NDArray[np.str_]
    kinds: npt.NDArray[np.str_]
    vectors: npt.NDArray[np.float32]
    """Length 1, through storage's bytes."""
    cells: npt.NDArray[np.float32]
    """Each preview as storage compares it."""


def _embed(folders: list[Path], cache: Path, *, originals: int, altered: int) -> None:
    encoder = Encoder(default_encoder() / "encoder.npz")
    projection = Projection.read(default_encoder() / "embedding.npz")
    names: list[str] = []
    kinds: list[str] = []
    cells: list[npt.NDArray[np.uint8]] = []
    embeddings: list[npt.NDArray[np.float32]] = []
    waiting: list[npt.NDArray[np.uint8]] = []

    def put(name: str, kind: str, file: bytes) -> None:
        preview = inspect_image(file, pixel_limit=10**8).preview
        names.append(name)
        kinds.append(kind)
        cells.append(cells_of(preview).astype(np.uint8))
        waiting.append(read_image(preview))
        if len(waiting) == BATCH:
            flush()

    def flush() -> None:
        if waiting:
            embeddings.append(projection.embed(encoder.encode(np.stack(waiting))))
            waiting.clear()

    for folder in folders:
        files = sorted(folder.rglob("*.jpg"))
        random.Random(7).shuffle(files)
        for at, file in enumerate(files[:originals]):
            name = f"{folder.name}/{file.relative_to(folder)}"
            put(name, ORIGINAL, file.read_bytes())
            if at < altered:
                picture = Image.open(file).convert("RGB")
                for kind, alter in ALTERATIONS.items():
                    put(name, kind, alter(picture))
    flush()
    cache.parent.mkdir(parents=True, exist_ok=True)
    np.savez(cache, names=names, kinds=kinds, embeddings=np.concatenate(embeddings), cells=np.stack(cells))


def _read(cache: Path) -> Pictures:
    kept = np.load(cache)
    through_bytes = from_bytes(*(to_bytes(one) or b"" for one in kept["embeddings"].tolist())).astype(np.float32)
    through_bytes /= np.linalg.norm(through_bytes, axis=1, keepdims=True)
    cells = kept["cells"].astype(np.float32)
    assert cells.shape[1:] == (SIDE_CELLS, SIDE_CELLS)
    return Pictures(kept["names"], kept["kinds"], through_bytes, cells)


def _pairs(pictures: Pictures) -> tuple[dict[str, list[tuple[float, float]]], list[tuple[float, float]]]:
    """Return (distance, correlation) of each copy to its original, by alteration, and of near pairs of others."""
    firsts = np.flatnonzero(pictures.kinds == ORIGINAL)
    place = {str(pictures.names[at]): at for at in firsts}
    same: dict[str, list[tuple[float, float]]] = {kind: [] for kind in ALTERATIONS}
    for at in np.flatnonzero(pictures.kinds != ORIGINAL):
        original = place[str(pictures.names[at])]
        distance = 1 - float(pictures.vectors[at] @ pictures.vectors[original])
        same[str(pictures.kinds[at])].append((distance, correlation(pictures.cells[at], pictures.cells[original])))
    distances = 1 - pictures.vectors[firsts] @ pictures.vectors[firsts].T
    different = [
        (float(distances[one, other]), correlation(pictures.cells[firsts[one]], pictures.cells[firsts[other]]))
        for one, other in zip(*np.where(np.triu(distances <= max(DISTANCES), 1)), strict=True)
    ]
    return same, [pair for pair in different if pair[1] < TWICE_IN_THE_DATA]


def _table(pictures: Pictures) -> list[dict[str, float]]:
    same, different = _pairs(pictures)
    meant = [pair for kind in MEANT for pair in same[kind]]
    originals = int((pictures.kinds == ORIGINAL).sum())
    lines: list[dict[str, float]] = []
    for far in DISTANCES:
        for alike in CORRELATIONS:
            right = sum(distance <= far and alike <= found for distance, found in meant)
            wrong = sum(distance <= far and alike <= found for distance, found in different)
            lines.append(
                {
                    "distance": far,
                    "correlation": alike,
                    "recall": right / len(meant),
                    "precision": right / max(right + wrong, 1),
                    "wrong pairs": wrong,
                    "originals": originals,
                }
            )
    return lines


def _by_alteration(pictures: Pictures) -> list[dict[str, float | str]]:
    same, _ = _pairs(pictures)
    return [
        {
            "alteration": kind,
            "recall": sum(
                distance <= NEAR_DUPLICATE_DISTANCE and found >= LEAST_CORRELATION for distance, found in pairs
            )
            / max(len(pairs), 1),
        }
        for kind, pairs in same.items()
    ]


if __name__ == "__main__":
    main()
