"""What `caption-train` is told on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from caption_service.model.architectures import ARCHITECTURES, MERGE
from caption_service.model.decoder_sizes import ATTENTION
from caption_service.settings import default_encoder
from caption_service.training.teacher import Recipe

EXAMPLE = """\
example:
  caption-train --images photos/ --train photos/captions.csv --out my-captions
  CAPTION_MODEL=my-captions make run

The CSV has the columns image and caption, several rows an image; image is a path below --images. Without --dev a tenth
of the images is held back to choose the best epoch by. A run that was stopped goes on when the same command is given
again. Log and curve lie in the folder beside --out that ends in -training.
"""
LEAST_STEPS = 1000
"""Batches that a training from few captions makes at least, when --epochs is not given."""
OF_ITSELF = {"epochs": "as many as make --least-steps batches, at least", "patience": "a fifth of the epochs, at least"}


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; `epochs` and `patience` are None where the number of captions is to decide."""
    parser = argparse.ArgumentParser(
        prog="caption-train",
        description="Train a caption decoder on images and the sentences people wrote about them.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--images", type=Path, required=True, metavar="DIR", help="folder of the images")
    parser.add_argument("--train", type=Path, required=True, metavar="CSV", help="captions to learn from")
    parser.add_argument("--dev", type=Path, metavar="CSV", help="captions to choose the best epoch by")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the model to write")
    parser.add_argument(
        "--architecture",
        choices=tuple(ARCHITECTURES),
        default=ATTENTION,
        help=f"{ATTENTION} looks at another part of the picture before each word; {MERGE} adds one vector of the "
        "picture to the LSTM's state; default: %(default)s",
    )
    parser.add_argument("--grid-side", type=int, choices=(7, 14), default=7, help=f"{ATTENTION}: cells a side")
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument(
        "--vgg16-weights", type=Path, metavar="H5", help=f"{MERGE}: take fc2 of the full VGG16; Keras' weights file"
    )
    weights.add_argument(
        "--download-vgg16-weights", action="store_true", help=f"{MERGE}: the same, downloaded by Keras (553 MB)"
    )
    parser.add_argument(
        "--start-from", type=Path, metavar="DIR", help="go on from this model's weights and words, not from nothing"
    )
    parser.add_argument("--encoder", type=Path, default=default_encoder(), metavar="DIR", help="encoder artifact")
    parser.add_argument(
        "--cache", type=Path, default=Path(".data/features"), metavar="DIR", help="features; 200 or 8 kB an image"
    )
    parser.add_argument("--data", default="own images and captions", help="what the manifest says of the data")
    parser.add_argument("--dropout", type=float, default=0.5, help="less for very few images; default: %(default)s")
    parser.add_argument("--least-steps", type=int, default=LEAST_STEPS, help="default: %(default)s")
    for field, value in asdict(Recipe()).items():
        option = f"--{field.replace('_', '-')}"
        if field in OF_ITSELF:
            parser.add_argument(option, type=int, help=f"default: {OF_ITSELF[field]} {value}")
        else:
            parser.add_argument(option, type=type(value), default=value, help="default: %(default)s")
    options = parser.parse_args(arguments)
    if options.architecture == ATTENTION and (options.vgg16_weights or options.download_vgg16_weights):
        parser.error(f"fc2 is one vector, which {ATTENTION} cannot look around in: add --architecture {MERGE}")
    return options
