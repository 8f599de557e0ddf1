"""Turn image files into what VGG16 was trained on.

Training and serving both import this module, so they cannot drift apart.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from shared.decoding import DamagedImage, TooManyPixels, UnknownFormat, UnreadableImage, decode_image

__all__ = [
    "INPUT_SIDE_PX",
    "MAX_PIXELS",
    "DamagedImage",
    "TooManyPixels",
    "UnknownFormat",
    "UnreadableImage",
    "preprocess",
    "read_image",
]

INPUT_SIDE_PX = 224
"""VGG16's ImageNet weights expect squares of this side."""

MAX_PIXELS = 50_000_000
"""Larger pictures are refused before they are decoded."""

CHANNEL_MEANS_BGR = np.array([103.939, 116.779, 123.68], dtype=np.float32)


def read_image(source: bytes | Path) -> npt.NDArray[np.uint8]:
    """Decode one image and squash it to the encoder's square.

    Flickr8k is trained on squashed squares, so a picture is squashed here too, not cropped: nothing of it is lost.

    Args:
        source: An encoded image (JPEG, PNG, ...) or the path of one.

    Returns:
        RGB, uint8, (224, 224, 3), upright.

    Raises:
        UnreadableImage: the image cannot be read; see `shared.decoding.decode_image`.
    """
    decoded = decode_image(source, pixel_limit=MAX_PIXELS, side_px=2 * INPUT_SIDE_PX)
    square = decoded.picture.resize((INPUT_SIDE_PX, INPUT_SIDE_PX), Image.Resampling.BILINEAR)
    return np.asarray(square, dtype=np.uint8)


def preprocess(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Scale a batch of images to the encoder's input.

    Args:
        images: RGB, uint8, (batch, 224, 224, 3).

    Returns:
        BGR, float32, the same shape, channel means removed; about -124 to 151.

    Source: Simonyan and Zisserman, 2015, section 2.1 (arXiv:1409.1556).
    """
    return images[..., ::-1].astype(np.float32) - CHANNEL_MEANS_BGR
