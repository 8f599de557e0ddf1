"""Turn image files into the one picture that the network and the OpenCV features both see.

Training and serving both import this module, so they cannot drift apart.
"""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

Picture = npt.NDArray[np.uint8]
"""RGB, uint8, (height, width, 3), upright."""

PICTURE_SIDE_PX = 512
"""A picture's long side is at most this; the gateway's previews and the training images are the same."""

MAX_PIXELS = 50_000_000
"""Larger images are refused before they are decoded."""

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_CHANNEL_MEANS_BGR = np.array([103.939, 116.779, 123.68], dtype=np.float32)

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


class UnreadableImage(ValueError):
    """The bytes cannot be turned into a picture."""


class UnknownFormat(UnreadableImage):
    """The bytes do not begin like an image of FORMATS."""


class TooManyPixels(UnreadableImage):
    """The image has more than MAX_PIXELS."""


class DamagedImage(UnreadableImage):
    """The bytes begin like an image but cannot be decoded."""


def read_picture(source: bytes | Path) -> Picture:
    """Decode one image, turn it upright, and shrink its long side to PICTURE_SIDE_PX where it is longer.

    Args:
        source: An encoded image, or the path of one.

    Raises:
        UnknownFormat: not an image of FORMATS.
        TooManyPixels: more than MAX_PIXELS; nothing was decoded.
        DamagedImage: it cannot be decoded to the end.
    """
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise TooManyPixels(
                    f"the image has {image.width} x {image.height} pixels; at most {MAX_PIXELS} are read"
                )
            image.draft("RGB", (2 * PICTURE_SIDE_PX, 2 * PICTURE_SIDE_PX))
            upright = _flatten(ImageOps.exif_transpose(image))
            upright.thumbnail((PICTURE_SIDE_PX, PICTURE_SIDE_PX), Image.Resampling.LANCZOS)
    except UnidentifiedImageError as error:
        if _first_bytes(source).startswith(_SIGNATURES):
            raise DamagedImage("the image is damaged: it ends or breaks in its first bytes") from error
        raise UnknownFormat(f"the bytes are not an image of a format we read: {', '.join(FORMATS)}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooManyPixels(f"the image has too many pixels; at most {MAX_PIXELS} are read") from error
    except UnreadableImage:
        raise
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise DamagedImage(f"the image is damaged: {error}") from error
    return np.asarray(upright, dtype=np.uint8)


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
    return square[..., ::-1].astype(np.float32) - _CHANNEL_MEANS_BGR


def _first_bytes(source: bytes | Path) -> bytes:
    if isinstance(source, bytes):
        return source[:8]
    with source.open("rb") as stream:
        return stream.read(8)


def _flatten(image: Image.Image) -> Image.Image:
    """Lay transparent parts on white, as a person sees them on a page; scale 16-bit grey to 8 bits."""
    if image.mode.startswith("I;16"):
        image = image.point(lambda value: value / 256).convert("L")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")
