"""Tell an image's format by its first bytes, never by its name: the allow-list of what is decoded at all."""

from __future__ import annotations

FIRST_BYTES = 512
"""So many tell every format; the brands of a HEIC or AVIF take the most."""

FORMATS_READ = "JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC and AVIF"

_SIGNATURES = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
}
_BMP_HEADER_SIZES = {12, 16, 40, 52, 56, 64, 108, 124}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF_BRANDS = {b"avif", b"avis"}


def format_of(first: bytes) -> str | None:
    """Return Pillow's name of the format that a file with these FIRST_BYTES has, or None for any other."""
    for kind, signatures in _SIGNATURES.items():
        if first.startswith(signatures) and (kind != "BMP" or _is_bmp_header(first)):
            return kind
    if first.startswith(b"RIFF") and first[8:12] == b"WEBP":
        return "WEBP"
    return _format_of_brands(first) if first[4:8] == b"ftyp" else None


def _is_bmp_header(first: bytes) -> bool:
    # Two letters are not enough: a text may begin with BM, too.
    return int.from_bytes(first[14:18], "little") in _BMP_HEADER_SIZES


def _format_of_brands(first: bytes) -> str | None:
    """Read the file type box (ISO/IEC 14496-12, 4.3): the same container holds HEIC, AVIF, and films."""
    end = min(int.from_bytes(first[:4], "big"), len(first))
    # The major brand, then, after a version, the compatible ones; `mif1` alone says only: some image.
    for brand in (first[8:12], *(first[start : start + 4] for start in range(16, end - 3, 4))):
        if brand in _HEIC_BRANDS:
            return "HEIF"
        if brand in _AVIF_BRANDS:
            return "AVIF"
    return None
