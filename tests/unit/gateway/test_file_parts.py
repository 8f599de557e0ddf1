"""Multipart bodies that come in pieces of any size."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.file_parts import MOST_OTHER_FIELDS, FileBegins, FileEnds, read_file_parts
from shared.errors import BadRequest, DeadlineExceeded

TYPE = "multipart/form-data; boundary=edge"


def _part(filename: str | None, content: bytes, name: str = "files") -> bytes:
    named = "" if filename is None else f'; filename="{filename}"'
    head = f'--edge\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + content + b"\r\n"


async def _pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


async def _files(body: bytes, *, size: int = 64, content_type: str = TYPE) -> list[tuple[str, bytes]]:
    files: list[tuple[str, bytes]] = []
    name, content, is_open = "", b"", False
    async for piece in read_file_parts(_pieces(body, size), content_type=content_type, stall_timeout_s=30):
        if isinstance(piece, FileBegins):
            name, content, is_open = piece.filename, b"", True
        elif isinstance(piece, FileEnds):
            files.append((name, content))
            is_open = False
        else:
            assert is_open
            content += piece
    return files


@given(st.lists(st.binary(max_size=200), max_size=6), st.integers(1, 300))
def test_files_come_as_they_were_sent_in_whatever_pieces(contents: list[bytes], size: int) -> None:
    files = [(f"größe {number}.jpg", content) for number, content in enumerate(contents)]
    body = b"".join(_part(name, content) for name, content in files) + b"--edge--\r\n"

    assert asyncio.run(_files(body, size=size)) == files


@given(st.binary(max_size=400), st.integers(1, 100))
def test_any_bytes_are_read_or_refused(body: bytes, size: int) -> None:
    try:
        asyncio.run(_files(b"--edge\r\n" + body, size=size))
    except BadRequest as refusal:
        assert refusal.detail  # noqa: PT017  # both outcomes are right


async def test_other_fields_are_passed_over_up_to_a_number() -> None:
    field = _part(None, b"x" * 100, "note")
    few, many = field * MOST_OTHER_FIELDS, field * (MOST_OTHER_FIELDS + 1)

    assert await _files(few + _part("a", b"1") + b"--edge--\r\n") == [("a", b"1")]
    with pytest.raises(BadRequest):
        await _files(many + _part("a", b"1") + b"--edge--\r\n")


async def test_a_client_that_stops_to_send_is_given_up() -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield _part("a", b"1")
        await asyncio.sleep(60)

    with pytest.raises(DeadlineExceeded):
        [piece async for piece in read_file_parts(stuck(), content_type=TYPE, stall_timeout_s=0.05)]
