"""Turn image files into what VGG16 was trained on.

Training and serving both import this module, so they cannot drift apart.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

INPUT_SIDE_PX = 224
"""VGG16's ImageNet weights expect squares of this side."""

MAX_PIXELS = 50_000_000
"""Larger pictures are refused before they are decoded."""

_CHANNEL_MEANS_BGR = np.array([103.939, 116.779, 123.68], dtype=np.float32)


class UnreadableImage(ValueError):
    """The bytes are not an image of a known format."""


class DamagedImage(UnreadableImage):
    """The bytes begin like an image, but it cannot be decoded whole."""


class TooManyPixels(UnreadableImage):
    """The image is larger than is decoded here."""


def read_image(source: bytes | Path) -> npt.NDArray[np.uint8]:
    """Decode one image and squash it to the encoder's square.

    Flickr8k is trained on squashed squares, so a picture is squashed here too, not cropped: nothing of it is lost.

    Args:
        source: An encoded image (JPEG, PNG, ...) or the path of one.

    Returns:
        RGB, uint8, (224, 224, 3), upright.

    Raises:
        UnreadableImage: not an image.
        DamagedImage: an image that cannot be decoded.
        TooManyPixels: more than MAX_PIXELS, by its header; it is not decoded.
    """
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            if image.width * image.height > MAX_PIXELS:
                raise TooManyPixels(
                    f"the image has {image.width} x {image.height} pixels; the limit is {MAX_PIXELS} in all"
                )
            image.draft("RGB", (2 * INPUT_SIDE_PX, 2 * INPUT_SIDE_PX))
            upright = ImageOps.exif_transpose(image)
            square = _flatten(upright).resize((INPUT_SIDE_PX, INPUT_SIDE_PX), Image.Resampling.BILINEAR)
    except UnreadableImage:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableImage("these bytes are not an image of a known format") from error
    except Image.DecompressionBombError as error:
        raise TooManyPixels(f"the image has too many pixels; the limit is {MAX_PIXELS} in all") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise DamagedImage(f"the image is damaged: {error}") from error
    return np.asarray(square, dtype=np.uint8)


def preprocess(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Scale a batch of images to the encoder's input.

    Args:
        images: RGB, uint8, (batch, 224, 224, 3).

    Returns:
        BGR, float32, the same shape, channel means removed; about -124 to 151.

    Source: Simonyan and Zisserman, 2015, section 2.1 (arXiv:1409.1556).
    """
    return images[..., ::-1].astype(np.float32) - _CHANNEL_MEANS_BGR


def _flatten(image: Image.Image) -> Image.Image:
    """Lay transparent parts on white, as a person sees them on a page."""
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")
