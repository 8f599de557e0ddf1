"""Look at a stranger's bytes once, carefully, and make the preview that everything behind the gateway sees.

The format is sniffed from the bytes, never taken from the name; the pixel count is read from the header before
anything is decoded; what comes out is an upright RGB JPEG without metadata.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from shared.errors import BrokenImage, ImageTooLarge, UnsupportedImage

PREVIEW_SIDE_PX = 512
PREVIEW_QUALITY = 88

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
}
"""What we read, by Pillow's name of the format; MPO is what some cameras write into a .jpg."""

_OPENABLE = [name for name in MEDIA_TYPES if name != "MPO"]
"""Pillow's JPEG reader finds out itself that a file is an MPO, and knows no reader of that name before it has."""


@dataclass(frozen=True)
class Inspection:
    """What hygiene found out about an image, and its preview."""

    media_type: str
    width: int
    """Pixels, upright."""
    height: int
    preview: bytes
    """JPEG, RGB, upright, no metadata, at most PREVIEW_SIDE_PX on the long side; never larger than the original."""


def fingerprint(image: bytes) -> str:
    """Return the SHA-256 as hex: what makes two files the same image."""
    return hashlib.sha256(image).hexdigest()


def inspect(image: bytes, *, pixel_limit: int) -> Inspection:
    """Check an encoded image and make its preview; the first frame stands for an animation.

    Raises:
        UnsupportedImage: not an image of a format in MEDIA_TYPES.
        ImageTooLarge: more pixels than the limit; nothing was decoded.
        BrokenImage: it cannot be decoded.
    """
    try:
        with Image.open(io.BytesIO(image), formats=_OPENABLE) as opened:
            if opened.width * opened.height > pixel_limit:
                raise ImageTooLarge(
                    f"the image has {opened.width} x {opened.height} pixels; the limit is {pixel_limit} in all"
                )
            media_type = MEDIA_TYPES[opened.format or ""]
            width, height = _upright_size(opened)
            preview = _preview(opened)
    except UnidentifiedImageError as error:
        raise UnsupportedImage(
            "these bytes are not an image we read; we read JPEG, PNG, WebP, GIF, BMP and TIFF"
        ) from error
    except Image.DecompressionBombError as error:
        raise ImageTooLarge(f"the image has too many pixels; the limit is {pixel_limit} in all") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise BrokenImage("the image is damaged: it begins well but cannot be decoded to the end") from error
    return Inspection(media_type, width, height, preview)


def _upright_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height as a person sees them; EXIF orientations 5 to 8 lie on their side."""
    lies = image.getexif().get(0x0112, 1) in {5, 6, 7, 8}
    return (image.height, image.width) if lies else (image.width, image.height)


def _preview(image: Image.Image) -> bytes:
    image.draft("RGB", (2 * PREVIEW_SIDE_PX, 2 * PREVIEW_SIDE_PX))
    upright = ImageOps.exif_transpose(image)
    small = _flatten(upright)
    small.thumbnail((PREVIEW_SIDE_PX, PREVIEW_SIDE_PX), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    small.save(encoded, "JPEG", quality=PREVIEW_QUALITY)
    return encoded.getvalue()


def _flatten(image: Image.Image) -> Image.Image:
    """Bring every mode to RGB: transparency lies on white, 16 bits a channel are scaled to 8."""
    if image.mode.startswith("I;16") or image.mode == "I":
        image = image.point(lambda value: value / 256).convert("L")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")
