"""What a training's options ask for, checked before anything costly begins."""

from __future__ import annotations

import argparse
from pathlib import Path

from classify_service.training.dataset import (
    DatasetError,
    Example,
    check_enough,
    passed_over,
    read_examples,
    read_others,
    read_squashed,
    with_sources,
)
from shared.artifacts import MANIFEST_NAME


def training_folder(out: Path) -> Path:
    """Return where a training keeps what it has done: beside the model it writes to `out`."""
    whole = out.resolve()
    return whole.with_name(f"{whole.name}-training")


def read_data(options: argparse.Namespace) -> list[Example]:
    """Return the examples that the options name, and say what was found.

    Raises:
        DatasetError: the data cannot be used, or the model may not be written where it should.
    """
    _check_out(options.out, options.data)
    examples = read_examples(options.data)
    if options.sources:
        examples = with_sources(examples, options.sources)
    if options.squashed:
        label, _, folder = options.squashed.partition("=")
        if not folder or label not in {example.label for example in examples}:
            raise DatasetError(f"--squashed must be LABEL=DIR with one of the labels, not {options.squashed!r}")
        source = options.squashed_source or folder
        examples += read_squashed(Path(folder), label=label, source=source, count=options.squashed_count)
    if options.other:
        examples += read_others(options.other)
    counts = check_enough(examples, fewest=options.min_images)
    if len({example.source for example in examples}) < options.folds:
        raise DatasetError(f"there are fewer than {options.folds} sources, one for each fold; see --folds")
    print(f"{len(examples)} images: {', '.join(f'{label} {count}' for label, count in counts.items())}")
    if others := passed_over(options.data):
        print(f"passed over, no images we read: {', '.join(f'{count} {kind}' for kind, count in others.items())}")
    return examples


def _check_out(out: Path, data: Path) -> None:
    """Refuse a folder whose files would end up in the model, or that would become a label of the data."""
    if out.exists() and not out.is_dir():
        raise DatasetError(f"--out {out} is a file: name a new folder")
    if out.is_dir() and any(out.iterdir()) and not (out / MANIFEST_NAME).is_file():
        raise DatasetError(f"--out {out} has files in it and is no model: name a new folder")
    if out.resolve().is_relative_to(data.resolve()):
        raise DatasetError(f"--out {out} lies in the pictures' folder {data}: name one outside of it")
