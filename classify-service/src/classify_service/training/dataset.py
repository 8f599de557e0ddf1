"""Read a folder of folders: which picture carries which label, and where it comes from.

Pictures of one source resemble each other, so that a split which cuts through sources flatters the model. A CSV with
the columns `file,label,source_repo` names the sources; without one every picture is its own.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from shared.contracts import UNCLASSIFIED

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif"})
MIN_LABELS = 2
MIN_IMAGES = 20
"""Fewer of a label leave a fold too little to learn from and to be judged by."""

_LABEL = re.compile(r"[a-z0-9_]{1,64}")


class DatasetError(ValueError):
    """The data cannot be used as it is; the message is one sentence that says why."""


@dataclass(frozen=True)
class Example:
    """One picture of the data."""

    name: str
    """Its path below the data's folder, with `/`."""
    file: Path
    label: str
    source: str
    squashed: bool = False
    """The file was squashed to a square and lost its aspect."""
    judged: bool = True
    """Whether the figures count it. Pictures that nobody would upload, drawn or squashed ones, are only learnt from."""


def read_examples(data: Path, *, min_labels: int = MIN_LABELS) -> list[Example]:
    """Return the images of `data`, one folder a label, sorted by name.

    Files of other suffixes and hidden ones (`.name`) are passed over.

    Raises:
        DatasetError: no such folder, a folder name that is no label, an empty label, or fewer than two labels.
    """
    if not data.is_dir():
        raise DatasetError(f"there is no folder {data}")
    examples = []
    folders = sorted(path for path in data.iterdir() if path.is_dir() and not path.name.startswith("."))
    for folder in folders:
        check_label(folder.name)
        files = sorted(path for path in _files(folder) if path.suffix.lower() in SUFFIXES)
        if not files:
            kinds = ", ".join(sorted(suffix.removeprefix(".") for suffix in SUFFIXES))
            raise DatasetError(f"the folder {folder} has no images ({kinds}): put some in, or remove it")
        names = [path.relative_to(data).as_posix() for path in files]
        examples += [Example(name, file, folder.name, name) for name, file in zip(names, files, strict=True)]
    if len(folders) < min_labels:
        raise DatasetError(
            f"{data} has {len(folders)} label folders; at least {min_labels} are needed: "
            f"give each label a folder of its images in {data}"
        )
    return examples


def check_enough(examples: list[Example], *, fewest: int) -> dict[str, int]:
    """Return how many examples each label has, by name.

    Raises:
        DatasetError: a label has fewer than `fewest`.
    """
    counts = dict(sorted(Counter(example.label for example in examples).items()))
    if few := [f"{label} has {count}" for label, count in counts.items() if count < fewest]:
        raise DatasetError(
            f"{', '.join(few)} images, but each label needs at least {fewest}: add some, or remove the folder"
        )
    return counts


def passed_over(data: Path) -> dict[str, int]:
    """Return how many files of each suffix lie in the label folders and are not read, by suffix."""
    folders = [path for path in data.iterdir() if path.is_dir() and not path.name.startswith(".")]
    suffixes = Counter(file.suffix.lower() or "without suffix" for folder in folders for file in _files(folder))
    return {suffix: count for suffix, count in sorted(suffixes.items()) if suffix not in SUFFIXES}


def check_label(label: str) -> None:
    """Refuse what cannot be a label.

    Raises:
        DatasetError: it is not `[a-z0-9_]{1,64}`, or it is `unclassified`.
    """
    if not _LABEL.fullmatch(label):
        raise DatasetError(
            f"the folder name {label!r} is no label: rename it to one of a to z, 0 to 9 and _, at most 64 of them"
        )
    if label == UNCLASSIFIED:
        raise DatasetError(f"{UNCLASSIFIED!r} is what an image without a label is called; no folder may be")


def with_sources(examples: list[Example], manifest: Path) -> list[Example]:
    """Return the examples with the sources that a CSV names.

    Args:
        examples: What `read_examples` found.
        manifest: CSV with at least `file` (path below the data's folder), `label` and `source_repo`. Rows with `no` in
            the column `judged`, if there is one, are only learnt from.

    Raises:
        DatasetError: no such file or columns, an example without a row, or one whose folder is another label.
    """
    if not manifest.is_file():
        raise DatasetError(f"there is no file {manifest}")
    with manifest.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        if missing := {"file", "label", "source_repo"} - set(rows.fieldnames or ()):
            raise DatasetError(f"{manifest} has no column {' and no column '.join(sorted(missing))}")
        known = {row["file"]: (row["label"], row["source_repo"], row.get("judged") != "no") for row in rows}
    sourced = []
    for example in examples:
        if example.name not in known:
            raise DatasetError(f"{manifest} has no row for {example.name}")
        label, source, judged = known[example.name]
        if label != example.label:
            raise DatasetError(f"{example.name} is labelled {label} in {manifest}, but its folder says {example.label}")
        sourced.append(replace(example, source=source, judged=judged))
    return sourced


def read_squashed(folder: Path, *, label: str, source: str, count: int) -> list[Example]:
    """Return `count` images of one label from a folder of squashed squares, evenly spread over their names.

    Raises:
        DatasetError: no such folder, or fewer images than that.
    """
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES)
    if len(files) < count or count < 1:
        raise DatasetError(f"{folder} has {len(files)} images; {count} were asked for")
    chosen = [files[at * len(files) // count] for at in range(count)]
    return [Example(f"{source}/{file.name}", file, label, source, squashed=True, judged=False) for file in chosen]


def read_others(folder: Path) -> list[Example]:
    """Return pictures that belong to none of the labels, as examples of `unclassified`, sorted by name.

    The folders in `folder` are their sources; a picture beside them is its own.

    Raises:
        DatasetError: no such folder, or no images in it.
    """
    files = sorted(path for path in _files(folder) if path.suffix.lower() in SUFFIXES) if folder.is_dir() else []
    if not files:
        raise DatasetError(f"there are no images in a folder {folder}")
    examples = []
    for file in files:
        name = f"{UNCLASSIFIED}/{file.relative_to(folder).as_posix()}"
        nested = file.parent != folder
        examples.append(Example(name, file, UNCLASSIFIED, "/".join(name.split("/")[:2]) if nested else name))
    return examples


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
