"""Image files that are unusual but right, each with the plain PNG that shows the same; files to refuse; odd names."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms, ImageOps

from tests.pictures import drawn_picture, encoded


@dataclass(frozen=True)
class Twins:
    """A file, and a plain PNG of what a person sees in it."""

    odd: bytes
    plain: bytes
    media_type: str


@dataclass(frozen=True)
class Refusal:
    """What a file that cannot be taken is answered with."""

    file: bytes
    status: int
    code: str
    says: str


def _plain(image: Image.Image) -> bytes:
    return encoded(image.convert("RGB"), "PNG")


def _of(kind: str, media_type: str, **options: object) -> Callable[[Image.Image], Twins]:
    def make(image: Image.Image) -> Twins:
        odd = encoded(image, kind, **options)
        with Image.open(io.BytesIO(odd)) as opened:
            return Twins(odd, _plain(opened), media_type)

    return make


def _turned(orientation: int, kind: str, media_type: str, **options: object) -> Callable[[Image.Image], Twins]:
    """The camera lay on its side, and wrote into EXIF how to turn the picture."""
    undo = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 5: Image.Transpose.TRANSPOSE}
    redo = undo | {6: Image.Transpose.ROTATE_270}

    def make(image: Image.Image) -> Twins:
        exif = Image.Exif()
        exif[0x0112] = orientation
        lying = image.transpose(undo[orientation])
        odd = encoded(lying, kind, exif=exif, **options)
        if kind == "JPEG":  # what it loses, its twin must lose, too
            with Image.open(io.BytesIO(odd)) as opened:
                return Twins(odd, _plain(opened.transpose(redo[orientation])), media_type)
        return Twins(odd, _plain(image), media_type)

    return make


def _sixteen_bit_grey(kind: str, media_type: str) -> Callable[[Image.Image], Twins]:
    def make(image: Image.Image) -> Twins:
        grey = image.convert("L")
        wide = np.asarray(grey).astype(np.uint16) * 257
        return Twins(encoded(Image.fromarray(wide), kind), _plain(grey), media_type)

    return make


def _sixteen_bit_rgb(image: Image.Image) -> Twins:
    wide = (np.asarray(image).astype(np.uint16) * 257).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in wide)
    return Twins(png(image.width, image.height, rows, bit_depth=16), _plain(image), "image/png")


def _animated_gif(image: Image.Image) -> Twins:
    first = image.quantize(64)
    odd = encoded(first, "GIF", save_all=True, append_images=[ImageOps.invert(image).quantize(64)], duration=100)
    return Twins(odd, _plain(first), "image/gif")


def _palette_with_transparency(image: Image.Image) -> Twins:
    palette = image.quantize(64)
    clear = palette.getpixel((1, 1))
    odd = encoded(palette, "PNG", transparency=clear)
    with Image.open(io.BytesIO(odd)) as opened:
        rgba = opened.convert("RGBA")
    return Twins(odd, _plain(Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)), "image/png")


def _half_transparent(image: Image.Image) -> Twins:
    rgba = image.convert("RGBA")
    rgba.putalpha(Image.linear_gradient("L").resize(image.size))
    white = Image.new("RGBA", rgba.size, "white")
    return Twins(encoded(rgba, "PNG"), _plain(Image.alpha_composite(white, rgba)), "image/png")


def _several(kind: str, media_type: str) -> Callable[[Image.Image], Twins]:
    """The first of several pictures in one file stands for it."""

    def make(image: Image.Image) -> Twins:
        odd = encoded(image, kind, save_all=True, append_images=[ImageOps.invert(image)], quality=100)
        with Image.open(io.BytesIO(odd)) as opened:
            return Twins(odd, _plain(opened), media_type)

    return make


def _float_tiff(image: Image.Image) -> Twins:
    grey = ImageOps.autocontrast(image.convert("L"))
    return Twins(encoded(Image.fromarray(np.asarray(grey) / np.float32(255)), "TIFF"), _plain(grey), "image/tiff")


def _with_profile(image: Image.Image) -> Twins:
    """Its numbers mean other colours than sRGB's, as a profile inside says: here, those of Lab's axes."""
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    odd = encoded(ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB"), "TIFF")
    return Twins(odd, _plain(image), "image/tiff")


def _with_a_profile_that_is_none(image: Image.Image) -> Twins:
    return Twins(encoded(image, "PNG", icc_profile=b"no profile at all"), _plain(image), "image/png")


ODD: dict[str, Callable[[Image.Image], Twins]] = {
    "animated GIF": _animated_gif,
    "CMYK JPEG": lambda image: _of("JPEG", "image/jpeg", quality=100)(image.convert("CMYK")),
    "16-bit grey PNG": _sixteen_bit_grey("PNG", "image/png"),
    "16-bit RGB PNG": _sixteen_bit_rgb,
    "16-bit grey TIFF": _sixteen_bit_grey("TIFF", "image/tiff"),
    "float TIFF": _float_tiff,
    "palette PNG with a transparent colour": _palette_with_transparency,
    "half-transparent PNG": _half_transparent,
    "JPEG turned by EXIF": _turned(6, "JPEG", "image/jpeg", quality=100, subsampling=0),
    "JPEG mirrored by EXIF": _turned(5, "JPEG", "image/jpeg", quality=100, subsampling=0),
    "PNG turned by EXIF": _turned(3, "PNG", "image/png"),
    "TIFF turned by EXIF": _turned(6, "TIFF", "image/tiff"),
    "WebP turned by EXIF": _turned(6, "WEBP", "image/webp", lossless=True),
    "BMP": _of("BMP", "image/bmp"),
    "TIFF": _of("TIFF", "image/tiff", compression="tiff_lzw"),
    "TIFF of two pages": _several("TIFF", "image/tiff"),
    "WebP": _of("WEBP", "image/webp", lossless=True),
    "MPO": _several("MPO", "image/jpeg"),
    "HEIC": _of("HEIF", "image/heic", quality=-1, chroma=444, matrix_coefficients=0),
    "HEIC of two pictures": _several("HEIF", "image/heic"),
    "AVIF": _of("AVIF", "image/avif", quality=100, subsampling="4:4:4", speed=10),
    "AVIF turned by EXIF": _turned(6, "AVIF", "image/avif", quality=100, subsampling="4:4:4", speed=10),
    "animated AVIF": _several("AVIF", "image/avif"),
    "TIFF in Lab": _with_profile,
    "PNG with a broken profile": _with_a_profile_that_is_none,
    "progressive JPEG": _of("JPEG", "image/jpeg", quality=100, progressive=True),
}

NAMES = [
    "../../../etc/passwd",
    "..\\..\\boot.ini",
    "\U0001f431\U0001f4f8.jpg",
    "photo\u202egpj.exe",
    "x" * 500 + ".jpg",
    "a\x00b.jpg",
    "CON",
    "con.jpg",
    "",
]


def png(width: int, height: int, rows: bytes, *, bit_depth: int = 8) -> bytes:
    """Return a PNG with this header, whether its rows are all there or not."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, bit_depth, 2, 0, 0, 0)
    chunks = (header, b"IDAT" + zlib.compress(rows), b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


def refusals() -> dict[str, Refusal]:
    """Return the files that nobody takes; the sentence is the same at every door."""
    whole_jpeg, whole_png = encoded(drawn_picture(300, 300)), encoded(drawn_picture(300, 300), "PNG")
    unknown = (415, "unsupported_image", "we read JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC and AVIF")
    broken = (422, "broken_image", "it begins well but cannot be decoded to the end")
    heic = encoded(drawn_picture(300, 300), "HEIF")
    film = b"\0\0\0\x18ftypisom\0\0\2\0isommp41" + bytes(40)
    huge = png(30_000, 30_000, bytes(3_000_000))
    assert len(huge) < 5_000
    return {
        "empty file": Refusal(b"", 415, "unsupported_image", "is empty"),
        "text named .jpg": Refusal(b"Dear diary, this is no picture.", *unknown),
        "text that begins like a bitmap": Refusal(b"BM is what a bitmap begins with", *unknown),
        "sound in the container of WebP": Refusal(b"RIFF\x24\0\0\0WAVEfmt " + bytes(20), *unknown),
        "SVG": Refusal(b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", *unknown),
        "PDF": Refusal(b"%PDF-1.7", *unknown),
        "PostScript": Refusal(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", *unknown),
        "icon": Refusal(encoded(drawn_picture(16, 16), "ICO"), *unknown),
        "truncated JPEG": Refusal(whole_jpeg[: len(whole_jpeg) // 2], *broken),
        "JPEG of eight bytes": Refusal(whole_jpeg[:8], *broken),
        "truncated PNG": Refusal(whole_png[: len(whole_png) // 2], *broken),
        "truncated HEIC": Refusal(heic[: len(heic) // 2], *broken),
        "film": Refusal(film, *unknown),
        "30,000 x 30,000 PNG of a few kB": Refusal(huge, 413, "image_too_large", "pixels; the limit is"),
    }
