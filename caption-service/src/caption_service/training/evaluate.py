"""The command `caption-evaluate`: measure a model on captions that people wrote."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from caption_service.model.captioner import Captioner
from caption_service.model.preprocessing import UnreadableImage
from caption_service.model.speaker import Caption
from caption_service.settings import default_encoder, default_model
from caption_service.training.captions import CaptionsFileError, read_captions
from caption_service.training.features import read_named
from caption_service.training.scores import score_captions
from shared.artifacts import ArtifactError

EXAMPLE = """\
example:
  caption-evaluate --images photos/ --captions photos/dev.csv --json scores.json

The CSV has the columns image and caption, several rows an image; image is a path below --images. With Java on the
PATH the scores are the standard ones (PTB tokenizer, METEOR); without it a plain tokenizer is used and named.
"""
IMAGES_AT_ONCE = 16


def main() -> None:
    """Run the command; one sentence instead of a traceback for what a person can mend."""
    options = _options()
    try:
        references = read_captions(options.captions, images=options.images)
        described = describe_files(
            Captioner.load(options.model, encoder_folder=options.encoder, vgg16_weights=options.vgg16_weights),
            list(references),
            images=options.images,
        )
    except (CaptionsFileError, UnreadableImage, ArtifactError) as error:
        sys.exit(f"caption-evaluate: {error}")
    except KeyboardInterrupt:
        sys.exit("\ncaption-evaluate: stopped, nothing was written")
    predictions = {name: caption.sentence for name, caption in described.items()}
    metrics = score_captions(predictions, references)
    if options.json:
        result = {"metrics": metrics, "predictions": predictions}
        options.json.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for name, value in metrics.items():
        print(f"{name:<10} {value:.4f}" if isinstance(value, float) else f"{name:<10} {value}")


def describe_files(captioner: Captioner, names: list[str], *, images: Path) -> dict[str, Caption]:
    """Return the best caption for each image file below `images`.

    Raises:
        UnreadableImage: a file cannot be decoded; the message names it.
    """
    best: dict[str, Caption] = {}
    with tqdm(total=len(names), desc="captions", unit="image") as progress:
        for at in range(0, len(names), IMAGES_AT_ONCE):
            chosen = names[at : at + IMAGES_AT_ONCE]
            batch = np.stack([read_named(images / name) for name in chosen])
            described = captioner.describe(batch)
            best |= {name: found[0] for name, found in zip(chosen, described, strict=True)}
            progress.update(len(chosen))
    return best


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="caption-evaluate",
        description="Caption every image of a CSV and score the captions against the people's.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--images", type=Path, required=True, metavar="DIR", help="folder of the images")
    parser.add_argument("--captions", type=Path, required=True, metavar="CSV", help="what people said of them")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write metrics and predictions here")
    parser.add_argument("--model", type=Path, default=default_model(), metavar="DIR", help="model to measure")
    parser.add_argument("--encoder", type=Path, default=default_encoder(), metavar="DIR", help="encoder artifact")
    parser.add_argument(
        "--vgg16-weights", type=Path, metavar="H5", help="Keras' file of the full VGG16, for a model that takes fc2"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
