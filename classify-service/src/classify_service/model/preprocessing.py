"""Turn image files into the one picture that the network and the OpenCV features both see.

Training and serving both import this module, so they cannot drift apart.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from shared.decoding import DamagedImage, TooManyPixels, UnknownFormat, UnreadableImage, decode_image

__all__ = [
    "MAX_PIXELS",
    "PICTURE_SIDE_PX",
    "DamagedImage",
    "Picture",
    "TooManyPixels",
    "UnknownFormat",
    "UnreadableImage",
    "network_input",
    "read_picture",
    "resize",
]

Picture = npt.NDArray[np.uint8]
"""RGB, uint8, (height, width, 3), upright."""

PICTURE_SIDE_PX = 512
"""A picture's long side is at most this; the gateway's previews and the training images are the same."""

MAX_PIXELS = 50_000_000
"""Larger images are refused before they are decoded."""

_CHANNEL_MEANS_BGR = np.array([103.939, 116.779, 123.68], dtype=np.float32)


def read_picture(source: bytes | Path) -> Picture:
    """Decode one image, turn it upright, and shrink its long side to PICTURE_SIDE_PX where it is longer.

    Args:
        source: An encoded image, or the path of one.

    Raises:
        UnreadableImage: the image cannot be read; see `shared.decoding.decode_image`.
    """
    decoded = decode_image(source, pixel_limit=MAX_PIXELS, side_px=2 * PICTURE_SIDE_PX)
    decoded.picture.thumbnail((PICTURE_SIDE_PX, PICTURE_SIDE_PX), Image.Resampling.LANCZOS)
    return np.asarray(decoded.picture, dtype=np.uint8)


def resize(picture: Picture, *, width_px: int, height_px: int) -> Picture:
    """Resize by area where the picture shrinks, so that fine lines fade and do not vanish; linearly where it grows."""
    shrinks = width_px * height_px < picture.shape[0] * picture.shape[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width_px, height_px), interpolation=interpolation), dtype=np.uint8)


def network_input(picture: Picture, *, side_px: int) -> npt.NDArray[np.float32]:
    """Squash a picture to the network's square, as VGG16's convolutions want it.

    The aspect is not kept, so that nothing of a page or a phone screen is cut off; the features keep it.

    Returns:
        BGR, float32, (side_px, side_px, 3), ImageNet's channel means removed; about -124 to 151.

    Source: Simonyan and Zisserman, 2015, section 2.1 (arXiv:1409.1556).
    """
    square = resize(picture, width_px=side_px, height_px=side_px)
    return np.subtract(cv2.cvtColor(square, cv2.COLOR_RGB2BGR), _CHANNEL_MEANS_BGR, dtype=np.float32)
