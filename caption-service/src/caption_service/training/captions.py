"""Read a captions file: what people said about each image.

The format is a CSV with a header and at least the columns `image` and `caption`; several rows may name one image.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

Captions = dict[str, list[str]]
"""Each image's captions, by the image's path below the folder of images."""

HELD_BACK_SHARE = 0.1


class CaptionsFileError(ValueError):
    """The captions file cannot be used as it is."""


def read_captions(file: Path, *, images: Path) -> Captions:
    """Return each image's captions, in the file's order.

    Args:
        file: The CSV; `image` is a path below `images`, further columns are ignored.
        images: The folder of the images.

    Raises:
        CaptionsFileError: no such file or columns, an empty caption, or an image that is not there.
    """
    if not file.is_file():
        raise CaptionsFileError(f"there is no captions file {file}")
    captions: Captions = {}
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        if missing := {"image", "caption"} - set(rows.fieldnames or ()):
            raise CaptionsFileError(f"{file} has no column {' and no column '.join(sorted(missing))}")
        for row in rows:
            if not row["image"] or not (row["caption"] or "").strip():
                raise CaptionsFileError(f"{file}, line {rows.line_num}: image or caption is empty")
            captions.setdefault(row["image"], []).append(row["caption"].strip())
    if not captions:
        raise CaptionsFileError(f"{file} has no rows")
    lost = [image for image in captions if not (images / image).is_file()]
    if lost:
        raise CaptionsFileError(f"{len(lost)} images of {file} are not in {images}, the first is {lost[0]}")
    return captions


def hold_back(captions: Captions, *, seed: int) -> tuple[Captions, Captions]:
    """Split off a tenth of the images, at least one, to choose the best epoch by; the same seed, the same images.

    Raises:
        CaptionsFileError: there are fewer than two images.
    """
    if len(captions) < 2:
        raise CaptionsFileError("one image is not enough to train on and to choose the best epoch by")
    names = list(captions)
    count = max(1, round(HELD_BACK_SHARE * len(names)))
    chosen = {names[at] for at in np.random.default_rng(seed).permutation(len(names))[:count]}
    kept = {name: several for name, several in captions.items() if name not in chosen}
    return kept, {name: several for name, several in captions.items() if name in chosen}
