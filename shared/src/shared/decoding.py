"""Decode an image file as a person sees it: first frame, upright, RGB, transparent parts on white.

The gateway, both model services and storage's import read strangers' files through this one door, in serving and in
training, so what is refused, with what words, and what the rest looks like is the same everywhere. The format is told
by the first bytes, never by the name, and pixels are counted from the header before anything is decoded. Pillow is a
dependency of the services that import this, not of `shared`.
"""

from __future__ import annotations

import functools
import io
import struct
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# Without these names Pillow would load the decoders of all its formats at the first TIFF or WebP.
from PIL import (  # noqa: F401
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from shared.image_formats import FIRST_BYTES, FORMATS_READ, format_of
from shared.picture_colours import to_srgb

_DECODERS_RAISE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    RuntimeError,
    LookupError,
    TypeError,
    ArithmeticError,
    AssertionError,
    struct.error,
)
"""What Pillow's and libheif's decoders raise over bytes that are not as their header says."""

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
    """JPEG, PNG, WEBP, GIF, BMP, TIFF, HEIF (which is HEIC) or AVIF; a camera's MPO is a JPEG."""
    width: int
    """Pixels of the file, upright."""
    height: int
    picture: Image.Image
    """RGB, upright, no metadata; of a large JPEG perhaps a smaller version, not below what `decode_image` was told."""


def decode_image(
    source: bytes | Path, *, pixel_limit: int, side_px: int | None = None, long_side_px: int | None = None
) -> DecodedImage:
    """Decode one image.

    Args:
        source: An encoded image, or the path of one.
        pixel_limit: More pixels than this are refused.
        side_px: The caller needs no side longer than this, so a JPEG may be decoded at a fraction of its size.
        long_side_px: The same, where only the longer side matters; one of the two is given.

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
            image = stack.enter_context(Image.open(file, formats=[kind]))
            least = (side_px, side_px) if side_px else _least(image.size, long_side_px)
            return _decode(image, kind, pixel_limit, least)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            limit = min(pixel_limit, 2 * (Image.MAX_IMAGE_PIXELS or pixel_limit))
            raise TooManyPixels(f"the image has too many pixels; the limit is {limit} in all") from error
        except UnreadableImage:
            raise
        except _DECODERS_RAISE as error:
            raise DamagedImage("the image is damaged: it begins well but cannot be decoded to the end") from error


def _format(file: BinaryIO) -> str:
    """Return Pillow's name of the format; the file is at its beginning before and after."""
    kind = format_of(file.read(FIRST_BYTES))
    file.seek(0)
    if kind is None:
        raise UnknownFormat(f"these bytes are not an image we read; we read {FORMATS_READ}")
    if kind == "HEIF":
        _learn_heic()
    return kind


@functools.cache
def _learn_heic() -> None:
    """Teach Pillow HEIC when the first one comes; without the thumbnail inside, which need not show the same."""
    import pillow_heif  # noqa: PLC0415  # it takes as long to load as all of Pillow

    pillow_heif.register_heif_opener(thumbnails=False, aux_images=False, depth_images=False)


def _least(size: tuple[int, int], long_side_px: int | None) -> tuple[int, int]:
    """Return the size at which the longer side has so many pixels; the size itself where it is not told."""
    if long_side_px is None:
        return size
    width, height = (max(1, side * long_side_px // max(size)) for side in size)
    return width, height


def _decode(image: Image.Image, kind: str, pixel_limit: int, least: tuple[int, int]) -> DecodedImage:
    width, height = image.size
    if width * height > pixel_limit:
        raise TooManyPixels(f"the image has {width} x {height} pixels; the limit is {pixel_limit} in all")
    if kind == "JPEG":
        image.draft("RGB", least)
        image.load()
    else:
        image.load()
        width, height = image.size  # a HEIC may turn out other than its header says
    orientation = _orientation(image)
    upright = image.transpose(_TURNS[orientation]) if orientation in _TURNS else image
    if orientation in _LYING:
        width, height = height, width
    picture = to_srgb(upright)
    picture.info.clear()  # Pillow would write a JPEG's comment into whatever is saved from it
    return DecodedImage(kind, width, height, picture)


def _orientation(image: Image.Image) -> int:
    """Return EXIF's orientation, 1 to 8; an image whose EXIF cannot be read is taken as it lies."""
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except _DECODERS_RAISE:
        return 1
    return orientation if isinstance(orientation, int) else 1
