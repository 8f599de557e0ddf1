"""The command `python -m caption_service.training.embedding`: fit the projection that similar-image search uses.

The projection lies beside the encoder and is named in its manifest; every caption model over that encoder gives the
same embedding.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from caption_service.model.artifact import ENCODER_FILE
from caption_service.model.embedding import EMBEDDING_FILE, EMBEDDING_SIZE, Projection, comparable
from caption_service.model.preprocessing import UnreadableImage
from caption_service.model.sight import REGIONS
from caption_service.settings import default_encoder
from caption_service.training.captions import CaptionsFileError, read_captions
from caption_service.training.features import seen_images
from shared.artifacts import ArtifactError, read_manifest, write_manifest

EXAMPLE = """\
example:
  python -m caption_service.training.embedding --images photos/ --train photos/train.csv \\
      --encoder caption-service/models/vgg16
"""


def main() -> None:
    """Run the command; one sentence instead of a traceback for what a person can mend."""
    options = _options()
    try:
        manifest = read_manifest(options.encoder, kind="encoder")
        vectors = seen_images(
            list(read_captions(options.train, images=options.images)),
            images=options.images,
            encoder_file=options.encoder / ENCODER_FILE,
            cache=options.cache,
            sight=REGIONS,
        )
        projection, share = fit(vectors)
    except (CaptionsFileError, UnreadableImage, ArtifactError, ValueError) as error:
        sys.exit(f"caption embedding: {error}")
    projection.write(options.encoder / EMBEDDING_FILE)
    told = {
        "size": EMBEDDING_SIZE,
        "of": "8 regions of the last map: square root, length 1, mean removed, principal components, length 1",
        "variance_kept": round(share, 4),
        "fitted_on": options.data,
    }
    write_manifest(options.encoder, manifest.model_copy(update={"sizes": {**manifest.sizes, "embedding": told}}))
    print(
        f"{EMBEDDING_SIZE} of {vectors.shape[1]} directions keep {share:.1%} of the variance of {len(vectors)} images"
    )


def fit(vectors: npt.NDArray[np.floating[Any]]) -> tuple[Projection, float]:
    """Find the directions in which image vectors differ most.

    Args:
        vectors: Region vectors, (images, 4096); at least as many images as the embedding has numbers.

    Returns:
        The projection, and the share of the variance that it keeps, 0 to 1. Its directions' signs are fixed, so that
        the same vectors give the same projection.

    Raises:
        ValueError: too few images.
    """
    if len(vectors) <= EMBEDDING_SIZE:
        raise ValueError(f"{len(vectors)} images are too few: the embedding needs more than {EMBEDDING_SIZE}")
    scaled = comparable(vectors)
    mean = scaled.mean(axis=0)
    centred = (scaled - mean).astype(np.float32)
    variances, directions = np.linalg.eigh(centred.T @ centred / len(centred))  # ascending
    chosen = directions[:, ::-1][:, :EMBEDDING_SIZE]
    signs = np.sign(chosen[np.abs(chosen).argmax(axis=0), np.arange(EMBEDDING_SIZE)])
    share = float(variances[::-1][:EMBEDDING_SIZE].sum() / variances.sum())
    return Projection(mean, (chosen * signs).astype(np.float32)), share


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m caption_service.training.embedding",
        description="Fit the projection of image vectors to 256 numbers and put it beside the encoder.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--images", type=Path, required=True, metavar="DIR", help="folder of the images")
    parser.add_argument("--train", type=Path, required=True, metavar="CSV", help="its column image names the images")
    parser.add_argument("--encoder", type=Path, default=default_encoder(), metavar="DIR", help="written into")
    parser.add_argument("--cache", type=Path, default=Path(".data/features"), metavar="DIR", help="8 kB an image")
    parser.add_argument("--data", default="own images", help="what the manifest says of the data")
    return parser.parse_args()


if __name__ == "__main__":
    main()
