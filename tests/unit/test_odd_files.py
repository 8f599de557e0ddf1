"""Odd and hostile files at each of the three places that decode: all see the same, and refuse the same."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from caption_service.model import preprocessing as captions
from classify_service.model import preprocessing as labels
from shared.decoding import UnreadableImage, decode_image
from shared.errors import ServiceError
from tests.decoding import inspect
from tests.odd_files import ODD, refusals
from tests.pictures import drawn_picture, encoded

LIMIT = 50_000_000
REFUSED = {name: refusal for name, refusal in refusals().items() if refusal.file}


def _seen_by_gateway(file: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(inspect(file, pixel_limit=LIMIT).preview)) as preview:
        return np.asarray(preview)


SEEN = {"gateway": _seen_by_gateway, "caption": captions.read_image, "classify": labels.read_picture}


@pytest.mark.parametrize("door", SEEN)
@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_looks_like_the_plain_one(name: str, door: str) -> None:
    picture = drawn_picture(120, 90)
    twins = ODD[name](picture)
    odd, plain = SEEN[door](twins.odd).astype(int), SEEN[door](twins.plain).astype(int)
    assert odd.shape == plain.shape
    assert np.abs(odd - plain).mean() < 2


@pytest.mark.parametrize("name", ODD)
def test_the_gateway_notes_type_and_upright_size(name: str) -> None:
    twins = ODD[name](drawn_picture(120, 90))
    found = inspect(twins.odd, pixel_limit=LIMIT)
    assert (found.media_type, found.width, found.height) == (twins.media_type, 120, 90)


@pytest.mark.parametrize("name", REFUSED)
def test_all_refuse_the_same_with_the_same_words(name: str) -> None:
    refusal = REFUSED[name]
    with pytest.raises(ServiceError) as at_the_gateway:
        inspect(refusal.file, pixel_limit=LIMIT)
    with pytest.raises(UnreadableImage) as by_captions:
        captions.read_image(refusal.file)
    with pytest.raises(UnreadableImage) as by_labels:
        labels.read_picture(refusal.file)
    assert (at_the_gateway.value.status, at_the_gateway.value.code) == (refusal.status, refusal.code)
    assert refusal.says in at_the_gateway.value.detail
    assert str(by_captions.value) == str(by_labels.value) == at_the_gateway.value.detail


def test_a_picture_with_unreadable_exif_is_taken_as_it_lies() -> None:
    file = encoded(drawn_picture(120, 90), exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert inspect(file, pixel_limit=LIMIT).width == 120


def test_a_preview_carries_nothing_that_the_original_says_of_itself() -> None:
    preview = inspect(encoded(drawn_picture(), comment=b"at home, Sunday"), pixel_limit=LIMIT).preview
    assert b"Sunday" not in preview


def test_a_brightness_that_is_no_number_is_damage() -> None:
    broken = Image.fromarray(np.full((8, 8), np.nan, dtype=np.float32))
    with pytest.raises(UnreadableImage, match="damaged"):
        decode_image(encoded(broken, "TIFF"), pixel_limit=LIMIT, side_px=100)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match="No such file"):
        captions.read_image(tmp_path / "nothing.jpg")


def test_a_16_bit_transparent_colour_is_transparent() -> None:
    grey = Image.fromarray(np.full((8, 8), 5_000, dtype=np.uint16))
    decoded = decode_image(encoded(grey, "PNG", transparency=5_000), pixel_limit=LIMIT, side_px=100)
    assert decoded.picture.getextrema() == ((255, 255),) * 3


def test_a_profile_says_what_the_numbers_mean_and_is_then_dropped() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exchanged = srgb.replace(b"rXYZ", b"temp").replace(b"gXYZ", b"rXYZ").replace(b"temp", b"gXYZ")
    exchanged = exchanged.replace("sRGB".encode("utf-16-be"), "grRB".encode("utf-16-be"))
    red = encoded(Image.new("RGB", (8, 8), (255, 0, 0)), "PNG", icc_profile=exchanged)
    picture = decode_image(red, pixel_limit=LIMIT, side_px=100).picture
    levels = picture.getpixel((4, 4))
    assert (levels[0] < 60, levels[1] > 200) == (True, True)
    assert "icc_profile" not in picture.info
