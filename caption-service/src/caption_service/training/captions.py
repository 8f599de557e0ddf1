"""Read a captions file: what people said about each image.

The format is a CSV with a header and at least the columns `image` and `caption`; several rows may name one image.
"""

from __future__ import annotations

import csv
from pathlib import Path


class CaptionsFileError(ValueError):
    """The captions file cannot be used as it is."""


def read_captions(file: Path, *, images: Path) -> dict[str, list[str]]:
    """Return each image's captions, in the file's order.

    Args:
        file: The CSV; `image` is a path below `images`, further columns are ignored.
        images: The folder of the images.

    Raises:
        CaptionsFileError: no such file or columns, an empty caption, or an image that is not there.
    """
    if not file.is_file():
        raise CaptionsFileError(f"there is no captions file {file}")
    captions: dict[str, list[str]] = {}
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
