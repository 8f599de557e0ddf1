"""At least 300 files that are not as they should be: cut off, flipped bits, bombs, two kinds in one, lying headers.

`python -m tests.hostile_files FOLDER` writes them out, for other programs; the same seed gives the same files.
"""

from __future__ import annotations

import argparse
import random
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from tests.odd_files import png
from tests.pictures import drawn_picture, encoded

CUTS = 5
FLIPS = 9
SPLICES = 4
REFUSED = frozenset({400, 413, 415, 422})
"""What such a file may be answered with, if it is not taken and answered right."""

_ENDINGS = ("jpg", "png", "gif", "webp", "bmp", "tiff", "heic", "avif", "svg", "exe", "html", "jpg.php")


@dataclass(frozen=True)
class HostileFile:
    """What a stranger sends."""

    name: str
    """How it is called, the lie of its ending included."""
    content: bytes
    media_types: frozenset[str]
    """What its first bytes say that it is, if it is taken at all; empty where it must not be."""


def hostile_files(seed: int = 0) -> Iterator[HostileFile]:
    """Make them all, one after the other."""
    chance = random.Random(seed)
    for kind, (media_type, whole) in whole_files().items():
        may = frozenset({media_type})
        for cut in range(1, CUTS + 1):
            content = whole[: len(whole) * cut // (CUTS + 1)]
            yield HostileFile(f"cut {kind} {cut}.{_ending(chance)}", content, may)
        for flip in range(FLIPS):
            yield HostileFile(f"flipped {kind} {flip}.{_ending(chance)}", _flipped(whole, chance), may)
        for splice in range(SPLICES):
            yield HostileFile(f"spliced {kind} {splice}.{_ending(chance)}", _spliced(whole, chance), may)
        for ending in ("html", "exe", "svg"):
            content = whole + b"<script>alert(1)</script>" + bytes([len(ending)])
            yield HostileFile(f"two in one {kind}.{ending}", content, may)
    yield from _bombs()
    yield from _others()


def whole_files() -> dict[str, tuple[str, bytes]]:
    """Return one right file of each kind, with its media type."""
    picture, second = drawn_picture(96, 72), ImageOps.invert(drawn_picture(96, 72))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description"
    jpeg, several = "image/jpeg", {"save_all": True, "append_images": [second, picture]}
    return {
        "JPEG": (jpeg, encoded(picture, "JPEG", exif=exif)),
        "progressive JPEG": (jpeg, encoded(picture, "JPEG", progressive=True)),
        "CMYK JPEG": (jpeg, encoded(picture.convert("CMYK"), "JPEG")),
        "MPO": (jpeg, encoded(picture, "MPO", **several)),
        "PNG": ("image/png", encoded(picture, "PNG", exif=exif)),
        "palette PNG": ("image/png", encoded(picture.quantize(16), "PNG", transparency=1)),
        "GIF": ("image/gif", encoded(picture, "GIF", **several)),
        "WebP": ("image/webp", encoded(picture, "WEBP", exif=exif)),
        "animated WebP": ("image/webp", encoded(picture, "WEBP", lossless=True, **several)),
        "BMP": ("image/bmp", encoded(picture, "BMP")),
        "TIFF": ("image/tiff", encoded(picture, "TIFF", compression="tiff_lzw", exif=exif)),
        "plain TIFF": ("image/tiff", encoded(picture.convert("LAB"), "TIFF")),
        "HEIC": ("image/heic", encoded(picture, "HEIF", exif=exif.tobytes())),
        "AVIF": ("image/avif", encoded(picture, "AVIF", speed=10, exif=exif)),
    }


def _ending(chance: random.Random) -> str:
    return chance.choice(_ENDINGS)


def _flipped(whole: bytes, chance: random.Random) -> bytes:
    """Flip 1 to 16 bits, half of the time among the first bytes, where headers stand."""
    content = bytearray(whole)
    reach = len(content) if chance.random() < 0.5 else min(200, len(content))
    for _ in range(chance.choice((1, 2, 4, 16))):
        content[chance.randrange(reach)] ^= 1 << chance.randrange(8)
    return bytes(content)


def _spliced(whole: bytes, chance: random.Random) -> bytes:
    """Leave out, double, or overwrite a part."""
    start = chance.randrange(4, len(whole) - 8)
    length = chance.choice((1, 4, 64))
    inserted = chance.choice((b"", whole[start : start + length] * 2, b"\xff" * length, b"\0" * length))
    return whole[:start] + inserted + whole[start + length :]


def _bombs() -> Iterator[HostileFile]:
    nothing: frozenset[str] = frozenset()
    for side in (20_000, 65_000, 2**31 - 1):
        yield HostileFile(f"bomb {side}.png", png(side, side, bytes(1_000_000)), nothing)
    for width, height in ((0, 0), (0, 9), (2**31 - 1, 1)):
        yield HostileFile(f"lying {width} x {height}.png", png(width, height, bytes(100)), nothing)
    gif = encoded(drawn_picture(8, 8), "GIF")
    yield HostileFile("bomb.gif", gif[:6] + struct.pack("<HH", 65_535, 65_535) + gif[10:], nothing)
    bmp = encoded(drawn_picture(8, 8), "BMP")
    for width, height in ((60_000, 60_000), (-1, 1), (2**31 - 1, 2**31 - 1)):
        yield HostileFile(f"lying {width}.bmp", bmp[:18] + struct.pack("<ii", width, height) + bmp[26:], nothing)
    frames = [Image.new("P", (4, 4), number % 256) for number in range(3_000)]
    many = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], optimize=False)
    yield HostileFile("3,000 frames.gif", many, frozenset({"image/gif"}))
    text = b"zTXt" + b"Comment\0\0" + zlib.compress(bytes(80_000_000), 9)
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    small = encoded(drawn_picture(8, 8), "PNG")
    yield HostileFile("80 MB of text in 80 kB.png", small[:33] + chunk + small[33:], frozenset({"image/png"}))
    yield HostileFile("a pair of lines.png", png(32_000_000, 2, bytes(300)), nothing)
    # One directory that names itself as the next one.
    loop = b"II*\0\x08\0\0\0\0\0\x08\0\0\0"
    yield HostileFile("round and round.tiff", loop, nothing)


def _others() -> Iterator[HostileFile]:
    picture = drawn_picture(60, 40)
    none: frozenset[str] = frozenset()
    starts = {
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "xml": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><svg>&b;</svg>",
        "html": b"<html><script>alert(1)</script>",
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file",
        "mvg": b"push graphic-context\nfill 'url(http://127.0.0.1/)'\npop graphic-context",
        "pdf": b"%PDF-1.7\n",
        "zip": b"PK\x03\x04" + bytes(40),
        "exe": b"MZ" + bytes(60),
        "elf": b"\x7fELF" + bytes(60),
        "mp4": b"\0\0\0\x18ftypisom\0\0\2\0isommp41" + bytes(40),
        "wav": b"RIFF\x24\0\0\0WAVEfmt " + bytes(20),
        "gz": zlib.compress(bytes(1_000)),
    }
    for ending, start in starts.items():
        yield HostileFile(f"a {ending} named.jpg", start, none)
        # Right bytes behind wrong ones: a reader that searches for a beginning would find one.
        yield HostileFile(f"a picture behind {ending}.png", start + encoded(picture, "PNG"), none)
    for kind in ("ICO", "PPM", "TGA", "PCX", "SGI", "JPEG2000", "DDS"):
        yield HostileFile(f"a {kind}.jpg", encoded(picture, kind), none)
    for first in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"II*\0", b"MM\0*", b"\0"):
        for length in (0, 3, 300):
            rest = random.Random(length).randbytes(length)
            yield HostileFile(f"{first.hex()} and {length} more.jpg", first + rest, none)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile_files", description=__doc__)
    parser.add_argument("folder", type=Path, help="where to write them")
    parser.add_argument("--seed", type=int, default=0, help="another one gives other files (default: %(default)s)")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for count, file in enumerate(hostile_files(options.seed), 1):  # told below
        (options.folder / f"{count:03d} {file.name}").write_bytes(file.content)
    print(f"{count} files in {options.folder}")


if __name__ == "__main__":
    main()
