"""One training from pictures to a written model, in steps that are each kept as soon as they are done.

Views and finished heads lie in the training's folder beside the model. The same command finds them again; heads of
other pictures or other settings are dropped.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from classify_service.model.artifact import WEIGHTS_NAME, read_weights
from classify_service.model.eye import build_eye, load_convolutions
from classify_service.model.features import FEATURE_NAMES
from classify_service.model.head_sizes import HeadSizes
from classify_service.model.saving import Networks, save
from classify_service.settings import SHIPPED_MODEL
from classify_service.training.cross_validation import cross_validate, judge, train_on_all
from classify_service.training.dataset import DatasetError, Example
from classify_service.training.head_shelf import HeadShelf
from classify_service.training.head_training import TrainedHead, train_head
from classify_service.training.metrics import table
from classify_service.training.options import training_folder
from classify_service.training.recipe import Recipe
from classify_service.training.training_log import LOG_NAME, PICTURE_NAME, HeadLog, Progress, draw_log
from classify_service.training.views import Views, cached_features, cached_regions, fingerprint
from shared.artifacts import MANIFEST_NAME, ArtifactError, Manifest
from shared.contracts import UNCLASSIFIED

EYE_LICENCE = (
    "Convolutions: VGG16 trained on ImageNet, Visual Geometry Group, University of Oxford, "
    "CC BY 4.0, narrowed by least squares on pictures and rounded."
)


def train(examples: list[Example], options: argparse.Namespace) -> Manifest:
    """Look at the pictures, validate across sources, train on all of them, write the model, and say how good it is.

    Args:
        examples: See `options.read_data`.
        options: What `classify-train` was asked for.

    Raises:
        DatasetError: an image cannot be read.
        ArtifactError: the eye's weights cannot be used.
    """
    folder = training_folder(options.out)
    labels = tuple(sorted({example.label for example in examples} - {UNCLASSIFIED}))
    outputs = (*labels, UNCLASSIFIED) if any(example.label == UNCLASSIFIED for example in examples) else labels
    eye = _eye(options)
    views = _views(examples, eye, options, options.cache or folder / "views")
    sizes = HeadSizes(outputs=len(outputs), features=len(FEATURE_NAMES))
    recipe = Recipe(
        epochs=options.epochs,
        patience=options.patience,
        hold_back_one_in=options.hold_back,
        seed=options.seed,
        batch_size=options.batch,
    )
    shelf = HeadShelf(_shelf_folder(folder, examples, eye, recipe, options), sizes)
    with Progress(heads=(options.folds + 1) * options.heads, epochs=options.epochs) as progress:
        training = _Training(views, outputs, sizes, shelf, progress)
        common: dict[str, Any] = {"recipe": recipe, "heads": options.heads, "train": training.head}
        held_out = cross_validate(views, outputs=outputs, folds=options.folds, **common)
        judgement = judge(held_out, labels=len(labels), precision=options.precision)
        heads = train_on_all(views, epochs=held_out.epochs, **common)
    figures = held_out.figures(labels, judgement)
    manifest = Manifest(
        kind="classifier",
        name=options.name or options.out.resolve().name,
        version=options.version,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=_commit(),
        sizes={
            "images": len(examples),
            "sources": len({example.source for example in examples}),
            "labels": len(labels),
        },
        metrics={
            "validated_on": f"{options.folds} folds of sources the judged heads did not see",
            "epochs": held_out.epochs,
            **figures,
        },
        data=f"{options.data_note} {EYE_LICENCE}".strip(),
    )
    complete = folder / "model"
    complete.mkdir(exist_ok=True)
    shelf.write_log(complete / LOG_NAME)
    draw_log(complete / LOG_NAME, complete / PICTURE_NAME)
    held_out.draw(complete, labels, judgement)
    written = save(complete, Networks(eye, heads, sizes), labels=labels, judgement=judgement, manifest=manifest)
    _move(complete, options.out)
    print(f"\nOn sources that were held out, in {options.folds} folds:\n{table(figures)}")
    print(
        f"At the model's thresholds: right {figures['precision_at_threshold']:.3f}, "
        f"given {figures['coverage_at_threshold']:.3f} of the time.\n"
        f"Written to {options.out}; its pictures show the training and how it was judged. {folder} is no longer needed."
    )
    return written


@dataclass(frozen=True)
class _Training:
    """What all heads of one training share."""

    views: Views
    outputs: tuple[str, ...]
    sizes: HeadSizes
    shelf: HeadShelf
    progress: Progress

    def head(
        self,
        name: str,
        chosen: npt.NDArray[np.int64],
        watched: npt.NDArray[np.int64],
        /,
        *,
        epochs: int,
        recipe: Recipe,
    ) -> TrainedHead:
        """Take a head from the shelf, or train it and put it there."""
        self.progress.begin(name)
        head = self.shelf.take(name)
        if head is None:
            log = HeadLog(name, self.progress)
            head = train_head(
                self.views,
                chosen,
                watched,
                epochs=epochs,
                labels=self.outputs,
                sizes=self.sizes,
                recipe=recipe,
                after_epoch=log.note,
            )
            self.shelf.put(name, head, log.rows)
        self.progress.end()
        return head


def _eye(options: argparse.Namespace) -> keras.Model:
    file = options.eye or SHIPPED_MODEL / WEIGHTS_NAME
    try:
        eye = build_eye(input_side_px=options.input_side)
    except ValueError as error:
        raise DatasetError(f"--input-side: {error}") from error
    try:
        load_convolutions(eye, read_weights(file))
    except ValueError as error:
        raise ArtifactError(f"{file} cannot be used: {error}") from error
    return eye


def _views(examples: list[Example], eye: keras.Model, options: argparse.Namespace, cache: Path) -> Views:
    # The features of all views come first: they decode every image, and a broken one is named at once.
    common: dict[str, Any] = {"seed": options.seed, "cache": cache}
    features = [cached_features(examples, number=number, **common) for number in range(options.views)]
    regions = [cached_regions(examples, eye, number=number, **common) for number in range(options.views)]
    return Views(examples, regions, features)


def _shelf_folder(
    folder: Path, examples: list[Example], eye: keras.Model, recipe: Recipe, options: argparse.Namespace
) -> Path:
    """Return the folder for heads of just this data and these settings; those of others are removed."""
    shelves = folder / "heads"
    sources = [example.source for example in examples]
    key = fingerprint(examples, eye, sources, recipe, options.folds, options.heads, options.views)
    if shelves.is_dir():
        for other in shelves.iterdir():
            if other.name != key:
                print("the images or the settings are not those of the run before: its heads are dropped")
                shutil.rmtree(other)
    return shelves / key


def _move(complete: Path, out: Path) -> None:
    """Move a model's files to where they belong, the manifest last: before that, the folder is no model."""
    out.mkdir(parents=True, exist_ok=True)
    (out / MANIFEST_NAME).unlink(missing_ok=True)
    for file in sorted(complete.iterdir(), key=lambda each: each.name == MANIFEST_NAME):
        shutil.move(file, out / file.name)
    complete.rmdir()


def _commit() -> str:
    """Return the commit of the code that trains, or `unknown` outside of a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
