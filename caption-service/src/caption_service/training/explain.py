"""The command `caption-explain`: draw where the model looks for each word (after figure 3 of Xu et al., 2015)."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from caption_service.model.captioner import Captioner
from caption_service.model.description import Look
from caption_service.model.preprocessing import INPUT_SIDE_PX, UnreadableImage
from caption_service.settings import default_encoder, default_model
from caption_service.training.features import read_named
from shared.artifacts import ArtifactError

COLUMNS = 5
INCHES_A_PANEL = (2.2, 2.5)
DARKEST = 0.25
"""Brightness of a picture's part that the model does not look at, 0 to 1."""


def main() -> None:
    """Run the command; one sentence instead of a traceback for what a person can mend."""
    options = _options()
    try:
        picture = read_named(options.image)
        captioner = Captioner.load(options.model, encoder_folder=options.encoder)
        if not captioner.attends:
            raise ArtifactError(f"{options.model} sees the picture as a whole: there is nothing to draw")
        description = captioner.describe_fully(picture[None], embedding=[False], attention=[True])[0]
        draw_looks(picture, description.looks or [], options.out)
    except (UnreadableImage, ArtifactError, OSError, ValueError) as error:
        sys.exit(f"caption-explain: {error}")
    best = description.captions[0]
    print(f"{best.sentence} ({best.confidence:.0%})")


def draw_looks(picture: npt.NDArray[np.uint8], looks: list[Look], out: Path) -> None:
    """Draw the picture as the model sees it, squashed to a square, and once more for each word, bright where it looked.

    Args:
        picture: RGB, uint8, (224, 224, 3).
        looks: The words, and where the model looked.
        out: The file to write; its suffix gives the format.

    Raises:
        ValueError: no such format.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - serving does not have it

    rows = math.ceil((len(looks) + 1) / COLUMNS)
    width, height = INCHES_A_PANEL
    figure = Figure(figsize=(width * COLUMNS, height * rows), layout="constrained")
    panels = list(figure.subplots(rows, COLUMNS, squeeze=False).flat)
    drawn = [("", picture), *[(look.word, lit(picture, look.weights)) for look in looks]]
    for axes in panels:
        axes.axis("off")
    for axes, (word, image) in zip(panels, drawn, strict=False):
        axes.imshow(image)
        axes.set_title(word, fontsize=14)
    figure.savefig(out, dpi=110)


def lit(picture: npt.NDArray[np.uint8], weights: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return the picture darkened but where the model looked more than elsewhere, uint8, (224, 224, 3).

    Args:
        picture: RGB, uint8, (224, 224, 3).
        weights: Each cell's share of the attention, (14, 14).
    """
    above_least = weights - weights.min()
    light = Image.fromarray(np.asarray(above_least / max(float(above_least.max()), 1e-9), np.float32))
    smooth = np.asarray(light.resize((INPUT_SIDE_PX, INPUT_SIDE_PX), Image.Resampling.BICUBIC)).clip(0, 1)
    brightness = DARKEST + (1 - DARKEST) * smooth[:, :, None]
    return np.asarray(picture * brightness).round().astype(np.uint8)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="caption-explain", description="Caption an image and draw where the model looked for each word."
    )
    parser.add_argument("image", type=Path, metavar="IMAGE", help="image file")
    parser.add_argument("out", type=Path, metavar="OUT", help="picture to write, such as explained.png")
    parser.add_argument("--model", type=Path, default=default_model(), metavar="DIR", help="model to ask")
    parser.add_argument("--encoder", type=Path, default=default_encoder(), metavar="DIR", help="encoder artifact")
    return parser.parse_args()


if __name__ == "__main__":
    main()
