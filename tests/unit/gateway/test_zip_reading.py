"""Strangers' ZIPs: what is taken, what is refused and why, and that nothing else can come of any bytes."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.zip_reading import Entry, ZipLimits, ZipReader, ZipRefused

LIMITS = ZipLimits(entries=20, entry_bytes=3_000_000, total_bytes=5_000_000, ratio=50)
LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"


def _zip(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def _outcomes(content: bytes, limits: ZipLimits = LIMITS) -> dict[str, bytes | str]:
    """Return each entry's bytes, or the code of its refusal."""
    reader = ZipReader(io.BytesIO(content), limits)
    return {entry.path: _outcome(reader, entry) for entry in reader.entries}


def _outcome(reader: ZipReader, entry: Entry) -> bytes | str:
    try:
        return reader.read(entry)
    except ZipRefused as refusal:
        return refusal.code if refusal.detail else "without a word"


def _whole_refusal(content: bytes, limits: ZipLimits = LIMITS) -> str:
    with pytest.raises(ZipRefused) as refusal:
        ZipReader(io.BytesIO(content), limits)
    return refusal.value.code


def _changed(content: bytes, mark: bytes, offset: int, new: bytes) -> bytes:
    """Overwrite a field of the first header of a kind."""
    at = content.index(mark) + offset
    return content[:at] + new + content[at + len(new) :]


def _linked(name: str, target: bytes, mode: int = 0o120777) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info, target


def test_files_come_out_whatever_their_folders_and_what_systems_leave_behind_is_passed_over() -> None:
    content = _zip(
        ("a.jpg", b"one"),
        ("2019/summer/b.jpg", b"two"),
        ("2019/", b""),
        ("__MACOSX/._a.jpg", b"x"),
        ("2019/.DS_Store", b"x"),
        ("Thumbs.db", b"x"),
        (".git/c.jpg", b"x"),
        ("empty.jpg", b""),
    )

    assert _outcomes(content) == {"a.jpg": b"one", "2019/summer/b.jpg": b"two", "empty.jpg": b""}


@pytest.mark.parametrize(
    ("name", "path", "filename"),
    [
        ("../../etc/passwd.jpg", "etc/passwd.jpg", "passwd.jpg"),
        ("/root/a.jpg", "root/a.jpg", "a.jpg"),
        ("C:\\Windows\\a.jpg", "Windows/a.jpg", "a.jpg"),
        ("C:a.jpg", "a.jpg", "a.jpg"),
        ("a/./b/../c.jpg", "a/b/c.jpg", "c.jpg"),
        ("größe 名.jpg", "größe 名.jpg", "größe 名.jpg"),
    ],
)
def test_only_a_harmless_path_is_left_of_a_name(name: str, path: str, filename: str) -> None:
    [entry] = ZipReader(io.BytesIO(_zip((name, b"1"))), LIMITS).entries

    assert (entry.path, entry.filename) == (path, filename)


@pytest.mark.parametrize(
    ("raw", "read"), [("größe.jpg".encode(), "größe.jpg"), ("größe.jpg".encode("cp437"), "größe.jpg")]
)
def test_names_without_a_flag_are_read_as_utf8_or_else_as_the_first_packers_wrote_them(raw: bytes, read: str) -> None:
    stand_in = "x" * len(raw)
    content = _zip((stand_in, b"1")).replace(stand_in.encode(), raw)

    assert _outcomes(content) == {read: b"1"}


@pytest.mark.parametrize("mode", [0o120777, 0o010644, 0o020644, 0o040755])
def test_links_devices_and_the_like_are_refused(mode: int) -> None:
    outcomes = _outcomes(_zip(("a.jpg", b"1"), _linked("link.jpg", b"/etc/passwd", mode)))

    assert outcomes == {"a.jpg": b"1", "link.jpg": "special_entry"}


def test_an_encrypted_file_is_refused_and_the_others_are_taken() -> None:
    content = _zip(("secret.jpg", b"1"), ("a.jpg", b"2"))
    content = _changed(_changed(content, LOCAL, 6, b"\x01\x00"), CENTRAL, 8, b"\x01\x00")

    assert _outcomes(content) == {"secret.jpg": "encrypted_entry", "a.jpg": b"2"}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_of_packing_are_refused(method: int) -> None:
    assert _outcomes(_zip(("a.jpg", b"1"), method=method)) == {"a.jpg": "unsupported_compression"}


def test_a_zip_in_a_zip_is_refused_by_its_name_and_by_its_bytes() -> None:
    inner = _zip(("a.jpg", b"1"))

    assert set(_outcomes(_zip(("b.zip", b"x"), ("c.jpg", inner))).values()) == {"nested_zip"}


def test_what_is_too_large_or_packed_too_well_is_refused_before_it_is_unpacked() -> None:
    noise = bytes(range(256)) * 4
    outcomes = _outcomes(
        _zip(
            ("large.bmp", bytes(3_000_001)), ("bomb.bmp", bytes(1_500_000)), ("small.bmp", bytes(400_000)), ("a", noise)
        ),
        ZipLimits(entries=20, entry_bytes=3_000_000, total_bytes=50_000_000, ratio=50),
    )

    assert outcomes == {
        "large.bmp": "image_too_large",
        "bomb.bmp": "suspicious_compression",
        "small.bmp": bytes(400_000),
        "a": noise,
    }


def test_a_zip_with_too_many_entries_or_too_many_bytes_is_refused_whole() -> None:
    assert _whole_refusal(_zip(*((f"{number}.jpg", b"1") for number in range(21)))) == "zip_too_many_entries"
    assert _whole_refusal(_zip(*((f"{number}.jpg", bytes(2_000_000)) for number in range(3)))) == "zip_too_large"


def test_a_list_that_is_longer_than_its_entries_can_need_is_not_even_read() -> None:
    content = _zip(*((f"{number:06}" + "x" * 1000, b"") for number in range(1500)))

    assert _whole_refusal(content) == "broken_zip"


def test_entries_that_share_their_bytes_are_refused_whole() -> None:
    content = _zip(("a.jpg", b"1" * 100), ("b.jpg", b"2" * 100), method=zipfile.ZIP_STORED)
    second = content.rindex(CENTRAL)
    on_the_first = content[: second + 42] + struct.pack("<L", 0) + content[second + 46 :]
    longer = _changed(content, CENTRAL, 20, struct.pack("<LL", 170, 170))

    assert _whole_refusal(on_the_first) == "zip_overlaps"
    assert _whole_refusal(longer) == "zip_overlaps"


@pytest.mark.parametrize("size", [99, 101, 2_000_000])
def test_a_file_that_is_not_as_long_as_the_zip_says_is_refused(size: int) -> None:
    content = _zip(("a.jpg", bytes(100)))

    outcome = _outcomes(_changed(content, CENTRAL, 24, struct.pack("<L", size)))["a.jpg"]

    assert outcome in {"broken_zip_entry", "suspicious_compression"}


def test_a_damaged_file_is_refused_and_the_others_are_taken() -> None:
    content = _zip(("a.jpg", b"1" * 50), ("b.jpg", b"2" * 50), method=zipfile.ZIP_STORED)

    assert _outcomes(content.replace(b"1" * 50, b"3" * 50)) == {"a.jpg": "broken_zip_entry", "b.jpg": b"2" * 50}


@pytest.mark.parametrize("cut", [1, 30, 90])
def test_a_zip_that_breaks_off_is_refused_whole(cut: int) -> None:
    assert _whole_refusal(_zip(("a.jpg", b"1" * 50))[:-cut]) == "broken_zip"


def _never_fails(content: bytes) -> None:
    try:
        reader = ZipReader(io.BytesIO(content), LIMITS)
    except ZipRefused:
        return
    for entry in reader.entries:
        assert entry.filename
        assert not {"..", "."} & set(entry.path.split("/"))
        assert not entry.path.startswith("/")
        outcome = _outcome(reader, entry)
        assert isinstance(outcome, str) or len(outcome) <= LIMITS.entry_bytes


_REAL = _zip(
    ("a.jpg", b"one" * 40), ("b/größe.png", b"\x89PNG" * 9), _linked("c.jpg", b"a.jpg"), ("d.zip", _zip(("e", b"1")))
)


@given(st.binary(max_size=300))
def test_any_bytes_behind_a_beginning_are_taken_or_refused(tail: bytes) -> None:
    _never_fails(LOCAL + tail)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(_REAL) - 1), st.binary(min_size=1, max_size=6)), min_size=1, max_size=6))
def test_a_zip_with_any_bytes_overwritten_is_taken_or_refused(changes: list[tuple[int, bytes]]) -> None:
    content = bytearray(_REAL)
    for at, new in changes:
        content[at : at + len(new)] = new
    _never_fails(bytes(content))


_FIELDS: list[tuple[bytes, int, Callable[[int], bytes]]] = [
    (mark, offset, struct.Struct(f"<{kind}").pack)
    for mark, fields in {
        LOCAL: [(4, "H"), (6, "H"), (8, "H"), (14, "L"), (18, "L"), (22, "L"), (26, "H"), (28, "H")],
        CENTRAL: [
            (6, "H"),
            (8, "H"),
            (10, "H"),
            (20, "L"),
            (24, "L"),
            (28, "H"),
            (30, "H"),
            (32, "H"),
            (38, "L"),
            (42, "L"),
        ],
        b"PK\x05\x06": [(4, "H"), (8, "H"), (10, "H"), (12, "L"), (16, "L"), (20, "H")],
    }.items()
    for offset, kind in fields
]
_SIZES = st.sampled_from([0, 1, 7, 255, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF])


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(range(len(_FIELDS))), _SIZES), min_size=1, max_size=4))
def test_a_zip_whose_headers_lie_is_taken_or_refused(lies: list[tuple[int, int]]) -> None:
    content = _REAL
    for field, value in lies:
        mark, offset, pack = _FIELDS[field]
        if mark in content:
            widths = {2: 0xFFFF, 4: 0xFFFFFFFF}
            content = _changed(content, mark, offset, pack(value & widths[len(pack(0))]))
    _never_fails(content)
