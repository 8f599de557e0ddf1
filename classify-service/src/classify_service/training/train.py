"""The command `classify-train`: from a folder of folders to a classifier that the service can load."""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tqdm import tqdm

from classify_service.model.artifact import WEIGHTS_NAME, Networks, read_weights, save
from classify_service.model.eye import build_eye, load_convolutions
from classify_service.model.features import FEATURE_NAMES
from classify_service.model.head import HeadSizes
from classify_service.model.preprocessing import UnreadableImage
from classify_service.settings import SHIPPED_MODEL
from classify_service.training.cross_validation import cross_validate, judge, train_heads
from classify_service.training.dataset import DatasetError, Example, read_examples, read_squashed, with_sources
from classify_service.training.head_training import Recipe
from classify_service.training.metrics import table
from classify_service.training.views import Views, cached_features, cached_regions
from shared.artifacts import ArtifactError, Manifest

EXAMPLE = """\
example:
  classify-train --data my-pictures --out my-labels
  CLASSIFY_MODEL=my-labels make run

my-pictures holds one folder a label (my-pictures/receipt, my-pictures/holiday, ...); a label is made of a to z, 0 to 9
and _. With --sources manifest.csv (columns file, label, source_repo) no source is on both sides of the validation.
With --cache a run that was stopped goes on when the same command is given again.
"""
LOG_NAME = "training.csv"
EYE_LICENCE = (
    "Convolutions of blocks 1 to 4: VGG16 trained on ImageNet, Visual Geometry Group, University of Oxford, "
    "CC BY 4.0, in half precision, unchanged otherwise."
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; one sentence instead of a traceback for what a person can mend."""
    options = _parser().parse_args(arguments)
    try:
        with ExitStack() as stack:
            cache = options.cache or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="classify-train-")))
            train(options, cache)
    except (DatasetError, UnreadableImage, ArtifactError) as error:
        sys.exit(f"classify-train: {error}")
    except KeyboardInterrupt:
        sys.exit("\nclassify-train: stopped before the model was written; views in --cache are kept")


def train(options: argparse.Namespace, cache: Path) -> Manifest:
    """Look at the pictures, validate across sources, train on all of them, write the model, and say how good it is."""
    examples = _examples(options)
    labels = tuple(sorted({example.label for example in examples}))
    eye = build_eye(input_side_px=options.input_side)
    try:
        load_convolutions(eye, read_weights(options.eye))
    except ValueError as error:
        raise ArtifactError(f"{options.eye} cannot be used: {error}") from error
    views = _views(examples, eye, options, cache)
    sizes = HeadSizes(labels=len(labels), features=len(FEATURE_NAMES))
    recipe = Recipe(epochs=options.epochs, seed=options.seed, batch_size=options.batch)
    options.out.mkdir(parents=True, exist_ok=True)
    with EpochLog(options.out / LOG_NAME, total=(options.folds + 1) * options.heads * options.epochs) as log:
        common: dict[str, Any] = {"labels": labels, "sizes": sizes, "recipe": recipe, "heads": options.heads}
        held_out = cross_validate(views, folds=options.folds, after_epoch=log.write, **common)
        judgement = judge(held_out, precision=options.precision)
        figures = held_out.figures(labels, judgement)
        heads = train_heads(views, np.arange(len(examples)), title="all", after_epoch=log.write, **common)
    manifest = Manifest(
        kind="classifier",
        name=options.name or options.out.name,
        version=options.version,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=_commit(),
        sizes={
            "images": len(examples),
            "sources": len({example.source for example in examples}),
            "labels": len(labels),
        },
        metrics={"validated_on": f"{options.folds} folds of sources the judged heads did not see", **figures},
        data=f"{options.data_note} {EYE_LICENCE}".strip(),
    )
    complete = save(options.out, Networks(eye, heads, sizes), labels=labels, judgement=judgement, manifest=manifest)
    print(f"\nOn sources that were held out, in {options.folds} folds:\n{table(figures)}")
    print(
        f"At the model's thresholds: right {figures['precision_at_threshold']:.3f}, "
        f"given {figures['coverage_at_threshold']:.3f} of the time.\nWritten to {options.out}."
    )
    return complete


class EpochLog:
    """A progress bar for a person and a CSV for a program: one row an epoch of one head."""

    def __init__(self, file: Path, *, total: int) -> None:
        self._lines = file.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._lines)
        self._writer.writerow(["head", "epoch", "loss"])
        self._progress = tqdm(total=total, desc="training", unit="epoch")

    def __enter__(self) -> EpochLog:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._progress.close()

    def write(self, head: str, epoch: int, figures: dict[str, float]) -> None:
        """Note one epoch."""
        self._writer.writerow([head, epoch, f"{figures['loss']:.5f}"])
        self._progress.set_postfix_str(f"{head}, loss {figures['loss']:.3f}", refresh=False)
        self._progress.update()


def _examples(options: argparse.Namespace) -> list[Example]:
    examples = read_examples(options.data)
    if options.sources:
        examples = with_sources(examples, options.sources)
    if options.squashed:
        label, _, folder = options.squashed.partition("=")
        if not folder or label not in {example.label for example in examples}:
            raise DatasetError(f"--squashed must be LABEL=DIR with one of the labels, not {options.squashed!r}")
        source = options.squashed_source or folder
        examples += read_squashed(Path(folder), label=label, source=source, count=options.squashed_count)
    if len({example.source for example in examples}) < options.folds:
        raise DatasetError(f"there are fewer than {options.folds} sources, one for each fold; see --folds")
    return examples


def _views(examples: list[Example], eye: keras.Model, options: argparse.Namespace, cache: Path) -> Views:
    regions, features = [], []
    for number in range(options.views):
        features.append(cached_features(examples, number=number, seed=options.seed, cache=cache))
        regions.append(cached_regions(examples, eye, number=number, seed=options.seed, cache=cache))
    return Views(examples, regions, features)


def _commit() -> str:
    """Return the commit of the code that trains, or `unknown` outside of a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _parser() -> argparse.ArgumentParser:
    recipe = Recipe()
    parser = argparse.ArgumentParser(
        prog="classify-train",
        description="Train a classifier on a folder of folders.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder of images a label")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model, made when it is not there")
    parser.add_argument("--sources", type=Path, help="CSV with the columns file, label, source_repo")
    parser.add_argument("--squashed", metavar="LABEL=DIR", help="further images of a label, squashed to squares")
    parser.add_argument("--squashed-count", type=int, default=450, help="how many of them (%(default)s)")
    parser.add_argument("--squashed-source", help="what --sources calls their source (the folder)")
    parser.add_argument("--cache", type=Path, help="folder that keeps what the eye saw (a temporary one)")
    default_eye = SHIPPED_MODEL / WEIGHTS_NAME
    parser.add_argument(
        "--eye", type=Path, default=default_eye, help="npz of VGG16's convolutions (the shipped model's)"
    )
    parser.add_argument("--input-side", type=int, default=144, help="side of the eye's square, pixels (%(default)s)")
    parser.add_argument("--views", type=int, default=4, help="the image itself and augmented ones (%(default)s)")
    parser.add_argument("--folds", type=int, default=4, help="folds of the validation (%(default)s)")
    parser.add_argument("--heads", type=int, default=2, help="heads that vote (%(default)s)")
    parser.add_argument("--epochs", type=int, default=recipe.epochs, help="epochs of each head (%(default)s)")
    parser.add_argument("--batch", type=int, default=recipe.batch_size, help="images a batch (%(default)s)")
    parser.add_argument("--precision", type=float, default=0.9, help="share of right labels wanted (%(default)s)")
    parser.add_argument("--seed", type=int, default=recipe.seed, help="seed of all that is random (%(default)s)")
    parser.add_argument("--name", help="the model's name (the name of --out)")
    parser.add_argument("--version", default="1", help="the model's version (%(default)s)")
    parser.add_argument("--data-note", default="", help="what the manifest says of the data and its terms")
    return parser


if __name__ == "__main__":
    main()
