"""Strangers' bytes: what is taken, what is refused, and what the preview looks like."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from shared.errors import BrokenImage, ImageTooLarge, UnsupportedImage
from shared.previews import PREVIEW_SIDE_PX
from tests.decoding import inspect
from tests.pictures import drawn_picture, encoded

LIMIT = 10_000_000


def _preview(image: bytes) -> Image.Image:
    return Image.open(io.BytesIO(inspect(image, pixel_limit=LIMIT).preview))


def _png_header(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that claims to be huge."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (header, b"IDAT" + zlib.compress(b""), b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("GIF", "image/gif"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
        ("HEIF", "image/heic"),
        ("AVIF", "image/avif"),
    ],
)
def test_the_format_is_read_from_the_bytes(kind: str, media_type: str) -> None:
    found = inspect(encoded(drawn_picture(90, 60), kind), pixel_limit=LIMIT)
    assert (found.media_type, found.width, found.height) == (media_type, 90, 60)


def test_a_photo_that_a_fraction_makes_small_enough_is_not_scaled_once_more() -> None:
    assert _preview(encoded(drawn_picture(2000, 1000))).size == (500, 250)
    assert max(_preview(encoded(drawn_picture(1000, 4096))).size) == PREVIEW_SIDE_PX
    assert max(_preview(encoded(drawn_picture(1000, 1836))).size) == PREVIEW_SIDE_PX


def test_the_preview_is_a_small_rgb_jpeg_of_the_same_shape() -> None:
    preview = _preview(encoded(drawn_picture(2400, 1200)))
    assert (preview.format, preview.mode, preview.size) == ("JPEG", "RGB", (PREVIEW_SIDE_PX, PREVIEW_SIDE_PX // 2))


def test_a_small_picture_is_never_blown_up() -> None:
    assert _preview(encoded(drawn_picture(40, 30))).size == (40, 30)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_preview_is_upright_and_carries_no_metadata(orientation: int) -> None:
    image = drawn_picture(80, 40)
    exif = image.getexif()
    exif[0x0112] = orientation
    exif[0x010F] = "a camera's maker"
    data = encoded(image, "JPEG", exif=exif)
    preview = _preview(data)
    sideways = orientation >= 5
    assert preview.size == ((40, 80) if sideways else (80, 40))
    assert not preview.getexif()
    found = inspect(data, pixel_limit=LIMIT)
    assert (found.width, found.height) == preview.size


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1", "I;16"])
def test_every_png_mode_gives_an_rgb_preview(mode: str) -> None:
    image = Image.new("I;16", (20, 20), 40_000) if mode == "I;16" else drawn_picture(20, 20).convert(mode)
    assert _preview(encoded(image, "PNG")).mode == "RGB"


def test_sixteen_bits_a_channel_keep_their_brightness() -> None:
    grey = Image.new("I;16", (20, 20), 32_768)
    red, _, _ = _preview(encoded(grey, "PNG")).getpixel((10, 10))
    assert 120 < red < 136


def test_a_cmyk_jpeg_gives_an_rgb_preview() -> None:
    assert _preview(encoded(drawn_picture().convert("CMYK"))).mode == "RGB"


def test_transparent_parts_are_white() -> None:
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    assert min(_preview(encoded(clear, "PNG")).getpixel((10, 10))) > 250


def test_an_animation_is_shown_by_its_first_frame() -> None:
    frames = [drawn_picture(seed=seed) for seed in range(3)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert _preview(data).size == frames[0].size


@pytest.mark.parametrize(
    ("image", "error"),
    [
        (b"plain text", UnsupportedImage),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnsupportedImage),
        (b"%PDF-1.7", UnsupportedImage),
        (encoded(drawn_picture(300, 300))[:1000], BrokenImage),
        (encoded(drawn_picture(300, 300), "PNG")[:500], BrokenImage),
        (_png_header(30_000, 30_000), ImageTooLarge),
    ],
)
def test_what_cannot_be_taken_is_refused_by_name(image: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        inspect(image, pixel_limit=LIMIT)
