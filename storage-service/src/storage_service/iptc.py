"""Say an image's caption and label in IPTC-IIM, as older programs read them, inside Photoshop's image resources.

Source: IPTC-NAA Information Interchange Model 4.2; Adobe Photoshop File Formats Specification, Image Resources.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_SIGNATURE = b"8BIM"
_IPTC, _IPTC_DIGEST = 0x0404, 0x0425
_CHARACTER_SET, _VERSION, _KEYWORD, _CAPTION = (1, 90), (2, 0), (2, 25), (2, 120)
_UTF8 = b"\x1b%G"
_BINARY = {_VERSION, (2, 200), (2, 201), (2, 202)}
_MOST_BYTES = {_KEYWORD: 64, _CAPTION: 2000}

DataSet = tuple[tuple[int, int], bytes]


class UnreadableResources(ValueError):
    """The resources do not follow the specification."""


def resources_with(resources: bytes, *, caption: str | None, keyword: str | None) -> bytes:
    """Return image resources with the words in them, and all else that was.

    The digest of the IPTC part goes, for it would be wrong.

    Raises:
        UnreadableResources: they are damaged, or hold what is not written any more.
    """
    kept = list(_resources(resources))
    old = next((data for number, _, data in kept if number == _IPTC), b"")
    said = _with_words(list(_data_sets(old)), caption, keyword)
    iptc = b"".join(struct.pack(">BBBH", 0x1C, *number, len(value)) + value for number, value in said)
    others = [(number, name, data) for number, name, data in kept if number not in {_IPTC, _IPTC_DIGEST}]
    return b"".join(_resource(*one) for one in [*others, (_IPTC, b"\0\0", iptc)])


def _with_words(old: list[DataSet], caption: str | None, keyword: str | None) -> list[DataSet]:
    is_utf8 = (_CHARACTER_SET, _UTF8) in old
    kept = [
        (number, value if is_utf8 or number in _BINARY else _in_utf8(value)) for number, value in old if number[0] == 2
    ]
    first = [one for one in old if one[0][0] == 1 and one[0] != _CHARACTER_SET]
    if not any(number == _VERSION for number, _ in kept):
        kept.insert(0, (_VERSION, b"\0\4"))
    if caption:
        kept = [one for one in kept if one[0] != _CAPTION] + [(_CAPTION, _cut(caption, _MOST_BYTES[_CAPTION]))]
    if keyword and (_KEYWORD, keyword.encode()) not in kept:
        kept.append((_KEYWORD, _cut(keyword, _MOST_BYTES[_KEYWORD])))
    last = [one for one in old if one[0][0] > 2]
    return [*first, (_CHARACTER_SET, _UTF8), *kept, *last]


def _in_utf8(value: bytes) -> bytes:
    try:
        value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1").encode()
    return value


def _cut(text: str, most_bytes: int) -> bytes:
    return text.encode()[:most_bytes].decode(errors="ignore").encode()


def _data_sets(iptc: bytes) -> Iterator[DataSet]:
    at = 0
    while at < len(iptc) and iptc[at] == 0x1C:
        try:
            _, record, number, size = struct.unpack_from(">BBBH", iptc, at)
        except struct.error as error:
            raise UnreadableResources("a data set breaks off") from error
        at += 5
        if size & 0x8000 or at + size > len(iptc):
            raise UnreadableResources("a data set is longer than its place")
        yield (record, number), iptc[at : at + size]
        at += size


def _resources(block: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    at = 0
    while at + 12 <= len(block):
        if block[at : at + 4] != _SIGNATURE:
            raise UnreadableResources("a resource has another signature")
        number, name_length = struct.unpack_from(">HB", block, at + 4)
        name_end = at + 6 + (name_length + 2) // 2 * 2
        name = block[at + 6 : name_end]
        if name_end + 4 > len(block):
            raise UnreadableResources("a resource breaks off")
        (size,) = struct.unpack_from(">I", block, name_end)
        data = block[name_end + 4 : name_end + 4 + size]
        if len(data) != size:
            raise UnreadableResources("a resource breaks off")
        yield number, name, data
        at = name_end + 4 + (size + 1) // 2 * 2


def _resource(number: int, name: bytes, data: bytes) -> bytes:
    return _SIGNATURE + struct.pack(">H", number) + name + struct.pack(">I", len(data)) + data + b"\0" * (len(data) % 2)
