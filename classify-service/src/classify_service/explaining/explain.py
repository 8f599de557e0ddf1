"""The command `classify-explain`: why an image gets its label, as a picture and in words.

TensorFlow is loaded after the arguments were checked, so that a mistake is answered at once.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from classify_service.model.preprocessing import UnreadableImage, read_picture
from classify_service.settings import SHIPPED_MODEL
from shared.artifacts import ArtifactError
from shared.contracts import UNCLASSIFIED

EXAMPLE = """\
example:
  classify-explain receipt.jpg why.png

why.png shows the picture, over it what the convolutions saw that speaks for the label (Grad-CAM), every label's
confidence, and the measured features that speak most for the label, in words. Each feature's weight is by how much the
label's log-odds fall when the feature is put to the training pictures' average.
"""


class _CannotExplain(ValueError):
    """The arguments do not fit; the message is one sentence that says why."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; one sentence instead of a traceback for what a person can mend."""
    options = _parser().parse_args(arguments)
    try:
        _explain(options.image, options.out, options.model)
    except (_CannotExplain, ArtifactError) as error:
        sys.exit(f"classify-explain: {error}")
    except OSError as error:
        sys.exit(f"classify-explain: {error.filename or options.out}: {error.strerror or error}")
    except KeyboardInterrupt:
        sys.exit("\nclassify-explain: stopped; nothing was written")


def _explain(image: Path, out: Path, model: Path) -> None:
    if out.suffix.lower() != ".png":
        raise _CannotExplain(f"{out} is no name of a PNG: let it end in .png")
    if not out.parent.is_dir():
        raise _CannotExplain(f"there is no folder {out.parent} to write {out.name} to")
    if out.exists() and image.exists() and out.samefile(image):
        raise _CannotExplain(f"{out} is the image itself: name another file to draw to")
    try:
        picture = read_picture(image)
    except UnreadableImage as error:
        raise _CannotExplain(f"{image} cannot be explained: {error}") from error
    # TensorFlow's notes on itself would bury ours.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    from classify_service.explaining.drawing import draw_explanation  # noqa: PLC0415 - slow
    from classify_service.model.artifact import load  # noqa: PLC0415 - slow

    classifier, _ = load(model)
    explanation = classifier.explain(picture)
    best = explanation.scores[0]
    given = best.label if classifier.is_sure_of(best.label, best.confidence) else UNCLASSIFIED
    draw_explanation(explanation, picture, out, given=given)
    print(f"{given}; best label {best.label}, confidence {best.confidence:.3f}")
    for reason in explanation.reasons:
        print(
            f"  {reason.words}: {reason.feature} {reason.value:.3g}, usually {reason.usual:.3g} (+{reason.weight:.2f})"
        )
    print(f"Written to {out}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="classify-explain",
        description="Show why an image gets its label.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("image", type=Path, metavar="IMAGE", help="the image to explain")
    parser.add_argument("out", type=Path, metavar="OUT.png", help="the picture to write")
    parser.add_argument("--model", type=Path, default=SHIPPED_MODEL, help="folder of the classifier (the shipped one)")
    return parser


if __name__ == "__main__":
    main()
