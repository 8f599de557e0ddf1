"""Pictures drawn in memory, for tests that need image bytes and no particular content."""

from __future__ import annotations

import io

import pillow_heif
from PIL import Image, ImageDraw

pillow_heif.register_heif_opener()


def drawn_picture(width: int = 64, height: int = 48, *, seed: int = 0) -> Image.Image:
    """Return a picture with a red square on a sky; another seed gives another picture."""
    image = Image.new("RGB", (width, height), (110 + 8 * seed % 100, 160, 220))
    draw = ImageDraw.Draw(image)
    draw.rectangle((width // 8, height // 4, width // 2, height - 4), fill=(200, 30 + 16 * seed % 200, 40))
    return image


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """Return the picture as a file's bytes."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def photo_bytes(seed: int = 0) -> bytes:
    """Return a small JPEG; another seed gives other bytes."""
    return encoded(drawn_picture(seed=seed))
