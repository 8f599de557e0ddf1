"""Make a copy of an original that carries its caption and label inside; not one pixel is encoded anew.

A JPEG gets XMP and IPTC as segments before its picture, a PNG gets XMP as a chunk. Other formats have no place that
programs agree on; their words go beside them, as sidecars of an export.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from shared.contracts import ImageRecord
from storage_service.errors import CannotEmbed
from storage_service.iptc import UnreadableResources, resources_with
from storage_service.xmp import MOST_PACKET_BYTES, caption_of, keyword_of, packet_of

_JPEG, _PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
_APP0, _APP1, _APP13, _SCAN = 0xE0, 0xE1, 0xED, 0xDA
_EXIF, _XMP, _PHOTOSHOP = b"Exif\0", b"http://ns.adobe.com/xap/1.0/\0", b"Photoshop 3.0\0"
_MOST_SEGMENT_BYTES = 65_533
_PNG_XMP = b"XML:com.adobe.xmp"

Segment = tuple[int, bytes]


def with_words(original: bytes, record: ImageRecord) -> bytes:
    """Return an original with its words embedded; what else it says of itself stays.

    Raises:
        CannotEmbed: it is neither JPEG nor PNG, or has no room.
    """
    if original.startswith(_JPEG):
        return _jpeg_with_words(original, record)
    if original.startswith(_PNG):
        return _png_with_words(original, record)
    raise CannotEmbed(
        f"words can be embedded into JPEG and PNG, not into {record.media_type}; export with sidecars=xmp instead"
    )


def _jpeg_with_words(original: bytes, record: ImageRecord) -> bytes:
    segments, picture_at = _segments(original)
    old_xmp = next((data[len(_XMP) :] for marker, data in segments if _is(marker, data, _APP1, _XMP)), b"")
    xmp = _XMP + packet_of(record, old_xmp)
    if len(xmp) > _MOST_SEGMENT_BYTES:
        raise CannotEmbed("what the image's own XMP says leaves no room in a JPEG; export with sidecars=xmp instead")
    kept = [one for one in segments if not _is(*one, _APP1, _XMP)]
    added = [(_APP1, xmp)]
    old_resources = b"".join(data[len(_PHOTOSHOP) :] for marker, data in kept if _is(marker, data, _APP13, _PHOTOSHOP))
    try:
        resources = resources_with(old_resources, caption=caption_of(record), keyword=keyword_of(record))
    except UnreadableResources:
        pass  # they stay as they are; XMP says the same
    else:
        kept = [one for one in kept if not _is(*one, _APP13, _PHOTOSHOP)]
        room = _MOST_SEGMENT_BYTES - len(_PHOTOSHOP)
        added += [(_APP13, _PHOTOSHOP + resources[at : at + room]) for at in range(0, len(resources), room)]
    # JFIF and Exif must come first; what tells places in the file counts from behind them.
    behind = next((at for at, one in enumerate(kept) if one[0] != _APP0 and not _is(*one, _APP1, _EXIF)), len(kept))
    written = [_segment(*one) for one in [*kept[:behind], *added, *kept[behind:]]]
    return b"".join([_JPEG, *written, original[picture_at:]])


def _segments(jpeg: bytes) -> tuple[list[Segment], int]:
    """Return the segments before the picture, and where that begins."""
    segments: list[Segment] = []
    at = len(_JPEG)
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        marker, size = struct.unpack_from(">BH", jpeg, at + 1)
        if marker == 0xFF:  # a filler
            at += 1
            continue
        if marker == _SCAN:
            return segments, at
        if marker in {0x01, *range(0xD0, 0xDA)} or size < 2 or at + 2 + size > len(jpeg):
            break
        segments.append((marker, jpeg[at + 4 : at + 2 + size]))
        at += 2 + size
    raise CannotEmbed("the JPEG's segments do not follow the standard; export with sidecars=xmp instead")


def _is(marker: int, data: bytes, wanted: int, name: bytes) -> bool:
    return marker == wanted and data.startswith(name)


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _png_with_words(original: bytes, record: ImageRecord) -> bytes:
    old_xmp, kept = b"", []
    for kind, data, whole in _chunks(original):
        if kind == b"iTXt" and data.startswith(_PNG_XMP + b"\0"):
            old_xmp = _text_of(data)
        else:
            kept.append(whole)
    text = _PNG_XMP + b"\0\0\0\0\0" + packet_of(record, old_xmp)
    checked = b"iTXt" + text
    chunk = struct.pack(">I", len(text)) + checked + struct.pack(">I", zlib.crc32(checked))
    return b"".join([_PNG, kept[0], chunk, *kept[1:]])


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield each chunk's type, data and all its bytes; what follows the last one comes as it is."""
    at = len(_PNG)
    while at + 12 <= len(png):
        size, kind = struct.unpack_from(">I4s", png, at)
        end = at + 12 + size
        if end > len(png):
            break
        yield kind, png[at + 8 : end - 4], png[at:end]
        at = end
        if kind == b"IEND":
            break
    if at == len(_PNG):
        raise CannotEmbed("the PNG has no chunks that can be read; export with sidecars=xmp instead")
    yield b"", b"", png[at:]


def _text_of(data: bytes) -> bytes:
    """Return the text of an iTXt chunk: keyword, two flags, language, translated keyword, text."""
    _, _, rest = data.partition(b"\0")
    _, _, after_language = rest[2:].partition(b"\0")
    _, _, text = after_language.partition(b"\0")
    if rest[:1] != b"\1":
        return text
    try:
        return zlib.decompressobj().decompress(text, MOST_PACKET_BYTES)
    except zlib.error:
        return b""
