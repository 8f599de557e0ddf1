"""The command `classify-train`: from a folder of folders to a classifier that the service can load.

TensorFlow is loaded when the training begins and not before, so that `--help` and a mistake in the data are answered
at once.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from classify_service.training.dataset import MIN_IMAGES, DatasetError
from classify_service.training.options import read_data, training_folder
from classify_service.training.recipe import Recipe
from shared.artifacts import ArtifactError

EXAMPLE = """\
example:
  classify-train --data my-pictures --out my-labels
  CLASSIFY_MODEL=my-labels make run

my-pictures holds one folder a label (my-pictures/receipt, my-pictures/holiday, ...); a label is made of a to z, 0 to 9
and _, and has 20 images or more. What a stopped run has done is in my-labels-training: the same command goes on there.
With --sources manifest.csv (columns file, label, source_repo) no source is on both sides of the validation.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; one sentence instead of a traceback for what a person can mend."""
    options = _parser().parse_args(arguments)
    # TensorFlow's notes on itself would bury ours.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        examples = read_data(options)
        from classify_service.training.training_run import train  # noqa: PLC0415 - brings in TensorFlow

        train(examples, options)
    except (DatasetError, ArtifactError, OSError) as error:
        sys.exit(f"classify-train: {error}")
    except KeyboardInterrupt:
        kept = training_folder(options.out)
        sys.exit(f"\nclassify-train: stopped before the model was written; the same command goes on from {kept}")


def _parser() -> argparse.ArgumentParser:
    recipe = Recipe()
    parser = argparse.ArgumentParser(
        prog="classify-train",
        description="Train a classifier on a folder of folders.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder with one folder of images a label")
    add("--out", type=Path, required=True, help="folder of the model, made when it is not there")
    add("--min-images", type=_positive, default=MIN_IMAGES, help="fewer images of a label are refused (%(default)s)")
    add("--sources", type=Path, help="CSV with the columns file, label, source_repo")
    add("--other", type=Path, metavar="DIR", help="images that belong to no label, to be left unclassified")
    add("--squashed", metavar="LABEL=DIR", help="further images of a label, squashed to squares")
    add("--squashed-count", type=_positive, default=450, help="how many of them (%(default)s)")
    add("--squashed-source", help="what --sources calls their source (the folder)")
    add("--cache", type=Path, help="folder that keeps what the eye saw, 65 kB a view of an image (in OUT-training)")
    add("--eye", type=Path, help="npz of an eye that classify-narrow wrote (the shipped model's)")
    add("--input-side", type=_positive, default=144, help="side of the eye's square, a multiple of 144 (%(default)s)")
    add("--views", type=_positive, default=4, help="the image itself and augmented ones (%(default)s)")
    add("--folds", type=_two_or_more, default=4, help="folds of the validation (%(default)s)")
    add("--heads", type=_positive, default=2, help="heads that vote (%(default)s)")
    add("--epochs", type=_positive, default=recipe.epochs, help="epochs of each head at most (%(default)s)")
    add("--patience", type=_positive, default=recipe.patience, help="epochs without gain that end a head (%(default)s)")
    add(
        "--hold-back",
        type=_none_or_two_or_more,
        metavar="N",
        default=recipe.hold_back_one_in,
        help="one image in N is held back to end a fold's heads early; 0: none, all --epochs (%(default)s)",
    )
    add("--batch", type=_positive, default=recipe.batch_size, help="images a batch (%(default)s)")
    add("--precision", type=_share, default=0.9, help="share of right labels wanted, 0 to 1 (%(default)s)")
    add("--seed", type=int, default=recipe.seed, help="seed of all that is random (%(default)s)")
    add("--name", help="the model's name (the name of --out)")
    add("--version", default="1", help="the model's version (%(default)s)")
    add("--data-note", default="", help="what the manifest says of the data and its terms")
    return parser


def _positive(text: str) -> int:
    return _whole_number(text, lowest=1)


def _two_or_more(text: str) -> int:
    return _whole_number(text, lowest=2)


def _none_or_two_or_more(text: str) -> int:
    return 0 if text == "0" else _whole_number(text, lowest=2)


def _whole_number(text: str, *, lowest: int) -> int:
    if not text.isdecimal() or int(text) < lowest:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {lowest}")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return share


if __name__ == "__main__":
    main()
