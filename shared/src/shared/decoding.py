"""Decode an image file as a person sees it: first frame, upright, RGB, transparent parts on white.

The gateway, both model services and storage's import read strangers' files through this one door, in serving and in
training, so what is refused, with what words, and what the rest looks like is the same everywhere. The format is told
by the first bytes, never by the name, and pixels are counted from the header before anything is decoded. Pillow is a
dependency of the services that import this, not of `shared`.
"""

from __future__ import annotations

import io
import math
import struct
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image

_SIGNATURES = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
}
_BMP_HEADER_SIZES = {12, 16, 40, 52, 56, 64, 108, 124}
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LYING = (5, 6, 7, 8)


class UnreadableImage(ValueError):
    """The file cannot be turned into a picture; the message says why."""


class UnknownFormat(UnreadableImage):
    """The bytes do not begin like an image of a format we read."""


class TooManyPixels(UnreadableImage):
    """The image is larger than is decoded here; nothing was decoded."""


class DamagedImage(UnreadableImage):
    """The bytes begin like an image, but it cannot be decoded to the end."""


@dataclass(frozen=True)
class DecodedImage:
    """An image file that could be read."""

    format: str
    """JPEG, PNG, WEBP, GIF, BMP or TIFF; a camera's MPO is a JPEG."""
    width: int
    """Pixels of the file, upright."""
    height: int
    picture: Image.Image
    """RGB, upright, no metadata; of a large JPEG perhaps a smaller version, but no side is under `side_px`."""


def decode_image(source: bytes | Path, *, pixel_limit: int, side_px: int) -> DecodedImage:
    """Decode one image.

    Args:
        source: An encoded image, or the path of one.
        pixel_limit: More pixels than this are refused.
        side_px: The caller needs no side longer than this, so a JPEG may be decoded at a fraction of its size.

    Raises:
        UnknownFormat: not an image of a format we read, or an empty file.
        TooManyPixels: more than `pixel_limit`.
        DamagedImage: it cannot be decoded to the end.
        UnreadableImage: there is no such file.
    """
    with ExitStack() as stack:
        try:
            file: BinaryIO = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
        except OSError as error:
            raise UnreadableImage(f"the file cannot be read: {error.strerror}") from error
        stack.enter_context(file)
        kind = _format(file)
        try:
            return _decode(stack.enter_context(Image.open(file, formats=[kind])), kind, pixel_limit, side_px)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            limit = min(pixel_limit, 2 * (Image.MAX_IMAGE_PIXELS or pixel_limit))
            raise TooManyPixels(f"the image has too many pixels; the limit is {limit} in all") from error
        except UnreadableImage:
            raise
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            raise DamagedImage("the image is damaged: it begins well but cannot be decoded to the end") from error


def _format(file: BinaryIO) -> str:
    """Return Pillow's name of the format; the file is at its beginning before and after."""
    first = file.read(18)
    file.seek(0)
    for kind, signatures in _SIGNATURES.items():
        if first.startswith(signatures) and (kind != "BMP" or _is_bmp_header(first)):
            return kind
    if first.startswith(b"RIFF") and first[8:12] == b"WEBP":
        return "WEBP"
    raise UnknownFormat("these bytes are not an image we read; we read JPEG, PNG, WebP, GIF, BMP and TIFF")


def _is_bmp_header(first: bytes) -> bool:
    # Two letters are not enough: a text may begin with BM, too.
    return int.from_bytes(first[14:18], "little") in _BMP_HEADER_SIZES


def _decode(image: Image.Image, kind: str, pixel_limit: int, side_px: int) -> DecodedImage:
    width, height = image.size
    if width * height > pixel_limit:
        raise TooManyPixels(f"the image has {width} x {height} pixels; the limit is {pixel_limit} in all")
    image.draft("RGB", (side_px, side_px))
    image.load()
    orientation = _orientation(image)
    upright = image.transpose(_TURNS[orientation]) if orientation in _TURNS else image
    if orientation in _LYING:
        width, height = height, width
    picture = _to_rgb(upright)
    picture.info.clear()  # Pillow would write a JPEG's comment into whatever is saved from it
    return DecodedImage(kind, width, height, picture)


def _orientation(image: Image.Image) -> int:
    """Return EXIF's orientation, 1 to 8; an image whose EXIF cannot be read is taken as it lies."""
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except (OSError, SyntaxError, ValueError, LookupError, TypeError, struct.error):
        return 1
    return orientation if isinstance(orientation, int) else 1


def _to_rgb(image: Image.Image) -> Image.Image:
    image = _eight_bits(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    rgba = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(rgba, mask=rgba)
    return white


def _eight_bits(image: Image.Image) -> Image.Image:
    """Bring grey of more than 8 bits to 8, which Pillow's own conversion would only clip to white."""
    key = image.info.get("transparency")
    if image.mode.startswith("I;16"):
        scaled = image.point(lambda value: value / 256).convert("L")
        if isinstance(key, int):
            scaled.info["transparency"] = key >> 8
        return scaled
    if image.mode in {"I", "F"}:
        return _spread(image)
    if isinstance(key, tuple) and max(key) > 255:  # Pillow scales the pixels of a 16-bit PNG, but not this colour
        image.info["transparency"] = tuple(value >> 8 for value in key)
    return image


def _spread(image: Image.Image) -> Image.Image:
    """Spread 32-bit integers or floats, for which no value is named white, from their darkest to their brightest."""
    darkest, brightest = (float(value) for value in image.getextrema())  # type: ignore[arg-type]  # a single band
    if not (math.isfinite(darkest) and math.isfinite(brightest)):
        raise ValueError("a brightness is not a number")
    scale = 255 / (brightest - darkest) if brightest > darkest else 0.0
    return image.point(lambda value: value * scale - darkest * scale).convert("L")
