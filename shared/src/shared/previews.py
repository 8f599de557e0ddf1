"""Make of any image file the preview that the models see: what hygiene is, at every door by which images come in.

What comes out is an upright sRGB JPEG without metadata; nothing behind the doors decodes anything else.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

from PIL import Image

from shared.decoding import decode_image

PREVIEW_SIDE_PX = 512
PREVIEW_LEAST_PX = 460
"""A large JPEG that one of its fractions brings between this and PREVIEW_SIDE_PX, as an eighth does one of 12
megapixels, is not scaled once more: that took longer than all the rest."""
PREVIEW_QUALITY = 88

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "HEIF": "image/heic",
    "AVIF": "image/avif",
}
"""What we read, by `shared.decoding`'s name of the format."""


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


def inspect_image(image: bytes, *, pixel_limit: int) -> Inspection:
    """Check an encoded image and make its preview; the first frame stands for an animation.

    Raises:
        UnreadableImage: its subclasses tell which of `shared.decoding`'s reasons it was.
    """
    decoded = decode_image(image, pixel_limit=pixel_limit, long_side_px=PREVIEW_LEAST_PX)
    return Inspection(MEDIA_TYPES[decoded.format], decoded.width, decoded.height, _preview(decoded.picture))


def _preview(picture: Image.Image) -> bytes:
    picture.thumbnail((PREVIEW_SIDE_PX, PREVIEW_SIDE_PX), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=PREVIEW_QUALITY)
    return encoded.getvalue()
