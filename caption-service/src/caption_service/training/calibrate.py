"""The command `caption-calibrate`: make a model's confidence mean how often people agree with its captions."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from caption_service.model.artifact import CALIBRATION
from caption_service.model.captioner import Captioner
from caption_service.model.preprocessing import UnreadableImage
from caption_service.settings import default_encoder, default_model
from caption_service.training.captions import CaptionsFileError, read_captions
from caption_service.training.evaluate import describe_files
from caption_service.training.reliability import (
    FOLDS,
    Numbers,
    calibration_error,
    cross_fitted,
    draw_reliability,
    fit,
)
from caption_service.training.scores import cider_d_of_each
from shared.artifacts import ArtifactError, read_manifest, write_manifest

EXAMPLE = """\
example:
  caption-calibrate --model my-captions --images photos/ --captions photos/dev.csv

Use captions that the model was not trained on. The curve is written into the model's manifest, and drawn beside the
model. Several sets: --set photos/ photos/dev.csv --set scans/ scans/dev.csv
"""
CIDER_D = 0.4
LEAST_CAPTIONS = 50


def main() -> None:
    """Run the command; one sentence instead of a traceback for what a person can mend."""
    options = _options()
    try:
        captioner = Captioner.load(options.model, encoder_folder=options.encoder, vgg16_weights=options.vgg16_weights)
        sets = [_measured(captioner, images, captions) for images, captions in options.sets]
        log_probabilities, scores = (np.concatenate(each) for each in zip(*sets, strict=True))
        told = calibrate(
            options.model,
            log_probabilities,
            scores >= options.cider_d,
            cider_d=options.cider_d,
            data={_name_of(file): len(found) for (_, file), (found, _) in zip(options.sets, sets, strict=True)},
            picture=options.picture,
        )
    except (CaptionsFileError, UnreadableImage, ArtifactError) as error:
        sys.exit(f"caption-calibrate: {error}")
    except KeyboardInterrupt:
        sys.exit("\ncaption-calibrate: stopped, nothing was written")
    for name, value in told.items():
        print(f"{name:<40} {value}")


def calibrate(
    model: Path,
    log_probabilities: Numbers,
    are_good: npt.NDArray[np.bool_],
    *,
    cider_d: float,
    data: Mapping[str, int],
    picture: Path,
) -> dict[str, Any]:
    """Fit the curve, measure it on captions it was not fitted on, draw that, and write both into the manifest.

    Args:
        model: The folder of the model.
        log_probabilities: Mean log-probability of each caption's words, nats, (captions,).
        are_good: Which captions people agree with, (captions,).
        cider_d: What "agree" means.
        data: The captions files, and how many images of each.
        picture: The file to draw into; its suffix gives the format.

    Returns:
        What was written.

    Raises:
        CaptionsFileError: there are too few captions, or people agree with all or none.
        ArtifactError: the model cannot be used.
    """
    is_good = are_good.astype(np.float64)
    if len(is_good) < LEAST_CAPTIONS or not 0 < is_good.mean() < 1:
        raise CaptionsFileError(
            f"{int(is_good.sum())} of {len(is_good)} captions reach CIDEr-D {cider_d:g}: a curve needs "
            f"{LEAST_CAPTIONS} captions with some on each side, so give more captions or another --cider-d"
        )
    manifest = read_manifest(model, kind="captioner")
    curve = asdict(fit(log_probabilities, is_good, cider_d=cider_d))
    confidences = cross_fitted(log_probabilities, is_good, cider_d=cider_d)
    measured: dict[str, Any] = {
        "captions": len(is_good),
        "share_good": round(float(is_good.mean()), 4),
        "calibration_error": round(calibration_error(confidences, is_good), 4),
        "calibration_error_of_plain_probability": round(calibration_error(np.exp(log_probabilities), is_good), 4),
        "how": f"{FOLDS} folds of images, each measured by the curve of the others; ten bins",
        "data": dict(data),
    }
    draw_reliability(confidences, is_good, picture, cider_d=cider_d)
    update = {
        "sizes": {**manifest.sizes, CALIBRATION: curve},
        "metrics": {**manifest.metrics, "confidence": measured},
    }
    write_manifest(model, manifest.model_copy(update=update))
    return {**curve, **measured}


def _measured(captioner: Captioner, images: Path, captions: Path) -> tuple[Numbers, Numbers]:
    """Return the best captions' mean log-probabilities of words, and their CIDEr-D."""
    references = read_captions(captions, images=images)
    described = describe_files(captioner, list(references), images=images)
    scores = cider_d_of_each({name: caption.sentence for name, caption in described.items()}, references)
    log_probabilities = [described[name].word_log_probability for name in scores]
    return np.array(log_probabilities), np.array(list(scores.values()))


def _name_of(file: Path) -> str:
    """Name a captions file so that two of one name in two folders stay apart; where they lie is nobody's business."""
    return "/".join(file.resolve().parts[-2:])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="caption-calibrate",
        description="Make a caption model's confidence the chance that people agree with its captions.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--images", type=Path, metavar="DIR", help="folder of the images")
    parser.add_argument("--captions", type=Path, metavar="CSV", help="what people said of them")
    parser.add_argument(
        "--set",
        type=Path,
        nargs=2,
        action="append",
        default=[],
        dest="sets",
        metavar=("DIR", "CSV"),
        help="more images and captions; repeatable",
    )
    parser.add_argument("--model", type=Path, default=default_model(), metavar="DIR", help="model to calibrate")
    parser.add_argument("--encoder", type=Path, default=default_encoder(), metavar="DIR", help="encoder artifact")
    parser.add_argument(
        "--cider-d", type=float, default=CIDER_D, help="people agree with a caption from here on; default: %(default)s"
    )
    parser.add_argument(
        "--picture", type=Path, metavar="PNG", help="draw the reliability here; default: MODEL-reliability.png"
    )
    parser.add_argument(
        "--vgg16-weights", type=Path, metavar="H5", help="Keras' file of the full VGG16, for a model that takes fc2"
    )
    options = parser.parse_args()
    if (options.images is None) != (options.captions is None):
        parser.error("--images and --captions go together")
    if options.images:
        options.sets.insert(0, [options.images, options.captions])
    if not options.sets:
        parser.error("name the images and what people said of them: --images DIR --captions CSV")
    if options.picture is None:
        model = options.model.resolve()
        options.picture = model.with_name(f"{model.name}-reliability.png")
    return options


if __name__ == "__main__":
    main()
