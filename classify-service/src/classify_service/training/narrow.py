"""The command `classify-narrow`: VGG16's convolutions in, an eye for `classify-train --eye` out."""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from classify_service.model.preprocessing import UnreadableImage
from classify_service.training.dataset import SUFFIXES
from shared.artifacts import ArtifactError

EXAMPLE = """\
example:
  classify-narrow --eye VGG16.npz --images my-pictures --images photos --out eye.npz
  classify-train --data my-pictures --eye eye.npz --out my-labels

VGG16.npz holds VGG16's thirteen convolutions as Keras names them (block1_conv1/kernel, ...).
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; one sentence instead of a traceback for what a person can mend."""
    parser = argparse.ArgumentParser(
        prog="classify-narrow",
        description="Make VGG16's convolutions a third as costly for what your pictures show.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--eye", type=Path, required=True, help="npz of VGG16's convolutions")
    add("--images", type=Path, required=True, action="append", help="folder of pictures, with those in its folders")
    add("--each", type=int, default=45, help="pictures of each folder at most (%(default)s)")
    add("--out", type=Path, required=True, help="npz to write")
    add("--input-side", type=int, default=144, help="side of the eye's square (%(default)s)")
    add("--seed", type=int, default=0, help="seed of all that is random (%(default)s)")
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    files = _some_of_each(options.images, options.each, options.seed)
    if not files:
        sys.exit(f"classify-narrow: there are no images in {', '.join(map(str, options.images))}")
    try:
        from classify_service.model.artifact import read_weights  # noqa: PLC0415 - slow
        from classify_service.training.narrowing import narrow_eye  # noqa: PLC0415

        weights = narrow_eye(read_weights(options.eye), files, side_px=options.input_side, seed=options.seed)
    except KeyError as error:
        sys.exit(f"classify-narrow: {options.eye} lacks {error.args[0]}: it must hold all of VGG16's convolutions")
    except (ArtifactError, UnreadableImage) as error:
        sys.exit(f"classify-narrow: {error}")
    except KeyboardInterrupt:
        sys.exit("\nclassify-narrow: stopped; nothing was written")
    halves: dict[str, Any] = {name: array.astype(np.float16) for name, array in weights.items()}
    np.savez(options.out, **halves)


def _some_of_each(roots: Sequence[Path], count: int, seed: int) -> list[Path]:
    """Return at most `count` images of each folder below the roots, chosen at random."""
    chosen: list[Path] = []
    folders = {file.parent for root in roots for file in root.rglob("*") if file.suffix.lower() in SUFFIXES}
    for folder in sorted(folders):
        files = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
        chosen += random.Random(seed).sample(files, min(count, len(files)))  # noqa: S311 - no secret
    return chosen


if __name__ == "__main__":
    main()
