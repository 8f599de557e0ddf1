"""Bring whatever colours a file has to 8-bit sRGB on white: what a person sees on a plain screen.

A file may hold 16 bits or floats a channel, a palette, inks, transparency, and a profile that says what its numbers
mean. The profile is applied and then dropped, so that a preview looks right where nobody reads profiles.
"""

from __future__ import annotations

import io
import math

from PIL import Image, ImageCms


def to_srgb(image: Image.Image) -> Image.Image:
    """Return the picture as RGB with its transparent parts on white; a profile that does not fit is passed over.

    Raises:
        ValueError: a brightness is not a number.
    """
    image = _eight_bits(image)
    if not image.has_transparency_data:
        return _by_profile(image, "RGB")
    rgba = _by_profile(image.convert("RGBA"), "RGBA")
    white = Image.new("RGB", rgba.size, "white")
    white.paste(rgba, mask=rgba)
    return white


def _by_profile(image: Image.Image, mode: str) -> Image.Image:
    """Return the picture in RGB or RGBA, by what its ICC profile says of its numbers; without one they are sRGB."""
    if image.mode == "LAB":
        return ImageCms.profileToProfile(image, ImageCms.createProfile("LAB"), _srgb(), outputMode=mode) or image
    profile = image.info.get("icc_profile")
    if not profile:
        return image.convert(mode)
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if ImageCms.getProfileDescription(source).startswith("sRGB"):
            return image.convert(mode)
        upright = image.convert("RGB") if image.mode == "P" else image
        return ImageCms.profileToProfile(upright, source, _srgb(), outputMode=mode) or upright
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        # Of another kind of picture, or damaged: such files are common, and browsers show them without the profile.
        return image.convert(mode)


def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


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
