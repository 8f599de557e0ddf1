"""What a decoder sees of each image, computed once and kept on disk.

The encoder does not change while the decoder learns, and it costs a hundred times more than the decoder: so each
image passes through it once. The cache holds half precision and grows in steps, so that a killed run goes on where it
stopped. Maps are cached at 14 x 14, whichever size is asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from caption_service.model.encoder import Encoder
from caption_service.model.preprocessing import UnreadableImage, read_image
from caption_service.model.sight import FC2, SIGHTS, DenseLayers, halve, see
from caption_service.training.cache import Network, kept_on_disk

IMAGES_PER_STEP = 16
IMAGES_PER_HALVING = 256

Seen = npt.NDArray[np.float16]
"""What is seen of images, (images, *shape of the sight)."""


def seen_images(
    image_names: Sequence[str],
    *,
    images: Path,
    encoder_file: Path,
    cache: Path,
    sight: str,
    vgg16_weights: Path | None = None,
) -> Seen:
    """Return what is seen of each image, from the cache where it is already there.

    Args:
        image_names: Paths below `images`.
        images: The folder of the images.
        encoder_file: The encoder's weights; another file gives another cache.
        cache: Folder of the cache, made when it is not there; 200 kB an image for maps, 8 kB for vectors.
        sight: A name of SIGHTS.
        vgg16_weights: Keras' file of the full VGG16; only `fc2` needs it.

    Returns:
        float16, (images, *SIGHTS[sight]), in the order of `image_names`.

    Raises:
        UnreadableImage: an image cannot be decoded; the message names it.
        DenseWeightsError: `fc2` without its weights.
    """
    kept = "map14" if sight.startswith("map") else sight
    dense_file = vgg16_weights if sight == FC2 else None
    weights = encoder_file.read_bytes()
    if dense_file:
        weights += f"{dense_file.name}\0{dense_file.stat().st_size}\0".encode()

    def build() -> Network:
        dense = DenseLayers(dense_file) if dense_file else None
        encoder = Encoder(encoder_file)
        return lambda files: see(encoder.encode(np.stack([read_named(file) for file in files])), kept, dense=dense)

    seen = kept_on_disk(
        cache / f"vgg16-{kept}-{fingerprint(image_names, images, weights)}.float16",
        [images / name for name in image_names],
        shape=SIGHTS[kept],
        images_per_step=IMAGES_PER_STEP,
        build=build,
        told="features",
    )
    if sight != "map7":
        return seen
    parts = [halve(seen[at : at + IMAGES_PER_HALVING]) for at in range(0, len(seen), IMAGES_PER_HALVING)]
    return np.concatenate(parts)


def read_named(file: Path) -> npt.NDArray[np.uint8]:
    """Decode one image file, (224, 224, 3).

    Raises:
        UnreadableImage: it cannot be decoded; the message names the file.
    """
    try:
        return read_image(file)
    except UnreadableImage as error:
        raise UnreadableImage(f"{file}: {error}") from error


def root_mean_square(seen: npt.NDArray[Any]) -> float:
    """Return the root mean square over a sample of the images."""
    sample = np.asarray(seen[:: max(1, len(seen) // 500)], dtype=np.float32)
    return round(float(np.sqrt(np.mean(np.square(sample)))), 4)


def fingerprint(image_names: Sequence[str], images: Path, weights: bytes) -> str:
    """Name what the features depend on: which files, of which size, through which weights.

    Args:
        image_names: Paths below `images`.
        images: The folder of the images.
        weights: The weights of the network, or what tells them.

    Returns:
        16 hexadecimal digits.
    """
    digest = hashlib.sha256(weights)
    for name in image_names:
        digest.update(f"{name}\0{(images / name).stat().st_size}\0".encode())
    return digest.hexdigest()[:16]
