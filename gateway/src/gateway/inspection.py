"""Look at a stranger's bytes once, and make the preview that everything behind the gateway sees.

What comes out is an upright sRGB JPEG without metadata; nothing behind the gateway decodes anything else. This runs in
the decoding processes, and imports no more than it takes to decode, so that such a process starts fast.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image

from shared.decoding import decode_image

PREVIEW_SIDE_PX = 512
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
    """What was found out about an image, and its preview."""

    media_type: str
    width: int
    """Pixels, upright."""
    height: int
    preview: bytes
    """JPEG, RGB, upright, no metadata, at most PREVIEW_SIDE_PX on the long side; never larger than the original."""


def inspect(image: bytes, *, pixel_limit: int) -> Inspection:
    """Check an encoded image and make its preview; the first frame stands for an animation.

    Raises:
        UnreadableImage: it cannot be read; see `shared.decoding.decode_image`.
    """
    decoded = decode_image(image, pixel_limit=pixel_limit, side_px=2 * PREVIEW_SIDE_PX)
    return Inspection(MEDIA_TYPES[decoded.format], decoded.width, decoded.height, _preview(decoded.picture))


def _preview(picture: Image.Image) -> bytes:
    picture.thumbnail((PREVIEW_SIDE_PX, PREVIEW_SIDE_PX), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=PREVIEW_QUALITY)
    return encoded.getvalue()
