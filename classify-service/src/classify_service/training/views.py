"""Views of the training pictures, and what the frozen eye sees in them, computed once and kept on disk.

View 0 of a picture is itself, the others are augmented. The eye costs a hundred times more than the head that is
trained on it, so each view passes through it once. The cache grows in steps: a killed run goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from classify_service.model.features import FEATURE_NAMES, measure
from classify_service.model.narrowed_vgg16 import REGION_SIDE, REGION_SIZE
from classify_service.model.preprocessing import Picture, UnreadableImage, network_input, read_picture
from classify_service.training.augmentation import augment, unsquash
from classify_service.training.dataset import DatasetError, Example

VIEWS_PER_STEP = 16

Regions = npt.NDArray[np.float16]
Features = npt.NDArray[np.float32]


class UnreadableExample(DatasetError):
    """An image of the data cannot be read."""

    def __init__(self, reason: str, *, more: int = 0) -> None:
        others = f" and {more} more" if more else ""
        super().__init__(f"cannot read {reason}{others}: remove such files, or save them anew as JPEG or PNG")
        self.reason = reason


@dataclass(frozen=True)
class Views:
    """All views of all examples; index 0 holds the pictures themselves."""

    examples: Sequence[Example]
    regions: Sequence[Regions]
    features: Sequence[Features]


def view(example: Example, number: int, *, seed: int) -> Picture:
    """Return one view of an example; the same arguments always give the same pixels.

    Raises:
        UnreadableExample: the file cannot be read.
    """
    digest = hashlib.sha256(f"{example.name}:{number}:{seed}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8]))
    try:
        picture = read_picture(example.file)
    except UnreadableImage as error:
        raise UnreadableExample(f"{example.file} ({error})") from error
    if example.squashed:
        picture = unsquash(picture, rng)
    return augment(picture, rng) if number > 0 else picture


def cached_regions(examples: Sequence[Example], eye: keras.Model, *, number: int, seed: int, cache: Path) -> Regions:
    """Return what the eye sees in view `number` of each example, float16, (examples, 3, 3, 3584).

    Args:
        examples: The pictures.
        eye: See `eye.build_eye`.
        number: Which view; 0 is the picture itself.
        seed: Seed of the augmentation.
        cache: Folder of the cache, made when it is not there; about 65 kB an example. Another eye has another file.
    """
    cache.mkdir(parents=True, exist_ok=True)
    file = cache / f"regions-{number}-{_fingerprint(examples, seed, _digest(eye), eye.input_shape)}.float16"
    size = REGION_SIDE * REGION_SIDE * REGION_SIZE
    done = file.stat().st_size // (2 * size) if file.exists() else 0
    with file.open("r+b" if file.exists() else "wb") as stored:
        stored.truncate(done * 2 * size)
        stored.seek(0, 2)
        for inputs in _inputs(examples[done:], number, seed=seed, side_px=eye.input_shape[1]):
            seen = np.minimum(eye.predict_on_batch(inputs), np.finfo(np.float16).max)
            stored.write(seen.astype(np.float16).tobytes())
    return np.memmap(file, np.float16, mode="r", shape=(len(examples), REGION_SIDE, REGION_SIDE, REGION_SIZE))


def cached_features(examples: Sequence[Example], *, number: int, seed: int, cache: Path) -> Features:
    """Return the OpenCV features of view `number` of each example, float32, (examples, features).

    Raises:
        UnreadableExample: some cannot be read; all were tried, and the first is named.
    """
    cache.mkdir(parents=True, exist_ok=True)
    file = cache / f"features-{number}-{_fingerprint(examples, seed, ','.join(FEATURE_NAMES))}.npy"
    if file.exists():
        return np.asarray(np.load(file, allow_pickle=False), dtype=np.float32)
    rows: list[Features] = []
    unreadable: list[UnreadableExample] = []
    for batch in _batches(examples, f"view {number}: features"):
        for example in batch:
            try:
                rows.append(measure(view(example, number, seed=seed)))
            except UnreadableExample as error:
                unreadable.append(error)
    if unreadable:
        raise UnreadableExample(unreadable[0].reason, more=len(unreadable) - 1)
    unfinished = file.with_suffix(".part")
    with unfinished.open("wb") as stream:
        np.save(stream, np.stack(rows))
    unfinished.replace(file)
    return np.stack(rows)


def fingerprint(examples: Sequence[Example], eye: keras.Model, *settings: object) -> str:
    """Name what is learnt from these examples, seen by this eye, with these settings; 16 hex digits."""
    return _fingerprint(examples, _digest(eye), eye.input_shape, ",".join(FEATURE_NAMES), *settings)


def _inputs(examples: Sequence[Example], number: int, *, seed: int, side_px: int) -> Iterator[npt.NDArray[np.float32]]:
    """Yield what the eye is given, batch by batch; the next batch is read while the eye looks at one."""

    def read(example: Example) -> npt.NDArray[np.float32]:
        return network_input(view(example, number, seed=seed), side_px=side_px)

    with ThreadPoolExecutor(os.cpu_count()) as readers:
        before: list[Future[npt.NDArray[np.float32]]] = []
        for batch in _batches(examples, f"view {number}: eye"):
            coming = [readers.submit(read, example) for example in batch]
            if before:
                yield np.stack([one.result() for one in before])
            before = coming
        if before:
            yield np.stack([one.result() for one in before])


def _batches(examples: Sequence[Example], title: str) -> Iterator[Sequence[Example]]:
    with tqdm(total=len(examples), desc=title, unit="image", disable=not examples) as progress:
        for start in range(0, len(examples), VIEWS_PER_STEP):
            batch = examples[start : start + VIEWS_PER_STEP]
            yield batch
            progress.update(len(batch))


def _digest(eye: keras.Model) -> str:
    digest = hashlib.sha256()
    for weights in eye.get_weights():
        digest.update(weights.astype(np.float16).tobytes())
    return digest.hexdigest()


def _fingerprint(examples: Sequence[Example], *parts: object) -> str:
    """Name what a cache depends on: which files, of which size, through what."""
    digest = hashlib.sha256(repr(parts).encode())
    for example in examples:
        digest.update(f"{example.name}\0{example.squashed}\0{example.file.stat().st_size}\0".encode())
    return digest.hexdigest()[:16]
