"""The command `caption-train`: from a CSV of captions to a model that the service can load."""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np

from caption_service.model.captioner import (
    ENCODER_FILE,
    load_decoder,
)
from caption_service.model.decoder import DecoderSizes, build_decoder
from caption_service.model.preprocessing import UnreadableImage
from caption_service.model.vocabulary import Vocabulary
from caption_service.settings import default_encoder
from caption_service.training.captions import CaptionsFileError, read_captions
from caption_service.training.features import feature_maps
from caption_service.training.run import Maps, TrainingRun, TrainingStateError
from caption_service.training.teacher import Recipe
from shared.artifacts import ArtifactError, Manifest, read_manifest

EXAMPLE = """\
example:
  caption-train --images photos/ --train photos/train.csv --dev photos/dev.csv --out my-captions
  CAPTION_MODEL=my-captions make run

The CSV files have the columns image and caption, several rows an image; image is a path below --images.
A run that was stopped goes on when the same command is given again.
"""


def main() -> None:
    """Run the command; one sentence instead of a traceback for what a person can mend."""
    options = _options()
    try:
        train(options)
    except (CaptionsFileError, UnreadableImage, ArtifactError, TrainingStateError) as error:
        sys.exit(f"caption-train: {error}")
    except KeyboardInterrupt:
        sys.exit("\ncaption-train: stopped; the same command goes on after the last whole epoch")


def train(options: argparse.Namespace) -> Manifest:
    """Train a decoder, keep the one that is best on dev, and return the manifest of the written model."""
    train_captions = read_captions(options.train, images=options.images)
    dev_captions = read_captions(options.dev, images=options.images)
    encoder_manifest = read_manifest(options.encoder, kind="encoder")
    maps_of = {
        part: feature_maps(
            list(captions),
            images=options.images,
            encoder_file=options.encoder / ENCODER_FILE,
            cache=options.cache,
            grid_side=options.grid_side,
        )
        for part, captions in (("train", train_captions), ("dev", dev_captions))
    }
    recipe = Recipe(**{field: getattr(options, field) for field in asdict(Recipe())})
    keras.utils.set_random_seed(recipe.seed)
    if options.start_from:
        decoder, vocabulary, _ = load_decoder(options.start_from, read_manifest(options.start_from, kind="captioner"))
        if decoder.sizes.grid_side != options.grid_side:
            raise ArtifactError(f"{options.start_from} looks at a grid of side {decoder.sizes.grid_side}")
    else:
        words = (caption for captions in train_captions.values() for caption in captions)
        vocabulary = Vocabulary.from_captions(words, min_count=recipe.min_word_count)
        rms = _rms(maps_of["train"])
        decoder = build_decoder(DecoderSizes(len(vocabulary), grid_side=options.grid_side, feature_rms=rms))
    manifest = Manifest(
        kind="captioner",
        name=options.out.name,
        version=datetime.now(UTC).strftime("%Y.%m.%d"),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=_commit(),
        sizes={"encoder_sha256": encoder_manifest.files[ENCODER_FILE]},
        metrics={},
        data=options.data,
    )
    run = TrainingRun(options.out, manifest, recipe, decoder, vocabulary)
    run.learn(train_captions, maps_of["train"], dev_captions, maps_of["dev"])
    return run.finish(dev_captions, maps_of["dev"])


def _rms(maps: Maps) -> float:
    sample = np.asarray(maps[:: max(1, len(maps) // 500)], dtype=np.float32)
    return round(float(np.sqrt(np.mean(np.square(sample)))), 4)


def _commit() -> str:
    """Return the commit that the training code stands at, or `unknown` outside of a checkout."""
    try:
        command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="caption-train",
        description="Train a caption decoder on images and the sentences people wrote about them.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--images", type=Path, required=True, metavar="DIR", help="folder of the images")
    parser.add_argument("--train", type=Path, required=True, metavar="CSV", help="captions to learn from")
    parser.add_argument("--dev", type=Path, required=True, metavar="CSV", help="captions to choose the best epoch by")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the model to write")
    parser.add_argument(
        "--start-from", type=Path, metavar="DIR", help="go on from this model's weights and words, not from nothing"
    )
    parser.add_argument("--encoder", type=Path, default=default_encoder(), metavar="DIR", help="encoder artifact")
    parser.add_argument(
        "--cache", type=Path, default=Path(".data/features"), metavar="DIR", help="feature maps, 200 kB an image"
    )
    parser.add_argument("--data", default="own images and captions", help="what the manifest says of the data")
    parser.add_argument("--grid-side", type=int, choices=(7, 14), default=7, help="cells a side of the map")
    recipe = Recipe()
    for field, value in asdict(recipe).items():
        parser.add_argument(
            f"--{field.replace('_', '-')}", type=type(value), default=value, help="default: %(default)s"
        )
    return parser.parse_args()


if __name__ == "__main__":
    main()
