"""Image files become pictures, or say why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classify_service.model.preprocessing import (
    DamagedImage,
    TooManyPixels,
    UnknownFormat,
    network_input,
    read_picture,
    resize,
)
from tests.pictures import drawn_picture, encoded


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_format_is_read(kind: str) -> None:
    picture = read_picture(encoded(drawn_picture(), kind))
    assert picture.shape == (48, 64, 3)
    assert picture.dtype == np.uint8


def test_a_path_is_read_like_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(drawn_picture(), "PNG"))
    assert (read_picture(tmp_path / "a.png") == read_picture(encoded(drawn_picture(), "PNG"))).all()


@pytest.mark.parametrize(
    ("size", "shrunk"), [((1024, 256), (128, 512)), ((300, 700), (512, 219)), ((90, 60), (60, 90))]
)
def test_only_large_images_are_shrunk(size: tuple[int, int], shrunk: tuple[int, int]) -> None:
    assert read_picture(encoded(drawn_picture(*size), "PNG")).shape[:2] == shrunk


def test_a_photo_taken_sideways_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert read_picture(encoded(drawn_picture(64, 48), "JPEG", exif=exif)).shape[:2] == (64, 48)


def test_transparent_parts_are_white() -> None:
    assert read_picture(encoded(Image.new("RGBA", (8, 8), (255, 0, 0, 0)), "PNG")).min() == 255


def test_sixteen_bit_grey_keeps_its_brightness() -> None:
    grey = Image.fromarray(np.full((8, 8), 40000, dtype=np.uint16))
    assert read_picture(encoded(grey, "PNG")).tolist()[0][0] == [156, 156, 156]


@pytest.mark.parametrize("body", [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7"])
def test_what_is_no_image_is_of_unknown_format(body: bytes) -> None:
    with pytest.raises(UnknownFormat):
        read_picture(body)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
@pytest.mark.parametrize("share", [0.02, 0.5])
def test_a_cut_off_image_is_damaged(kind: str, share: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    whole = encoded(noise, kind)
    with pytest.raises(DamagedImage):
        read_picture(whole[: max(8, int(share * len(whole)))])


@pytest.mark.parametrize("side", [7_100, 12_000, 30_000])
def test_too_many_pixels_are_refused_before_decoding(side: int) -> None:
    with pytest.raises(TooManyPixels, match="pixels"):
        read_picture(encoded(Image.new("1", (side, side)), "PNG"))


def test_the_network_sees_blue_first_without_the_channel_means() -> None:
    seen = network_input(np.full((30, 50, 3), (255, 0, 0), dtype=np.uint8), side_px=16)
    assert seen.shape == (16, 16, 3)
    assert seen[0, 0] == pytest.approx([-103.939, -116.779, 255 - 123.68], abs=1e-3)


def test_fine_lines_fade_and_do_not_vanish_when_a_picture_shrinks() -> None:
    lines = np.full((100, 100, 3), 255, dtype=np.uint8)
    lines[::10] = 0
    assert resize(lines, width_px=10, height_px=10).max() == pytest.approx(230, abs=1)
