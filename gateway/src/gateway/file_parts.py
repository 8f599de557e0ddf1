"""Read the files of a multipart body as they come: nothing is kept here but the piece that came last.

Starlette would spool the whole body before the handler sees it, and refuse the 1,001st part. python-multipart, which it
uses for that, also tells of each piece at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from shared.errors import BadRequest, DeadlineExceeded

FIELD = "files"
MOST_OTHER_FIELDS = 100
_BROKEN = "the body is no multipart/form-data that can be read, or breaks off"
_WRONG_FIELD = f'send the files as multipart/form-data, each in a field named "{FIELD}"'


@dataclass(frozen=True)
class FileBegins:
    """The next file's bytes come now; a browser sends an empty name where nothing was chosen."""

    filename: str


@dataclass(frozen=True)
class FileEnds:
    """All bytes of the file have come."""


Piece = FileBegins | bytes | FileEnds


async def read_file_parts(
    chunks: AsyncIterator[bytes], *, content_type: str, stall_timeout_s: float
) -> AsyncGenerator[Piece]:
    """Yield each file as its beginning, its bytes in pieces, and its end.

    Raises:
        BadRequest: it is no multipart body, breaks off, or has files under another name.
        DeadlineExceeded: nothing came for `stall_timeout_s`.
    """
    form = _Form(content_type)
    while True:
        chunk = await _next(chunks, stall_timeout_s)
        if chunk is None:
            break
        for piece in form.take(chunk):
            yield piece
    if not form.has_ended:
        raise BadRequest(_BROKEN)


async def _next(chunks: AsyncIterator[bytes], stall_timeout_s: float) -> bytes | None:
    try:
        async with asyncio.timeout(stall_timeout_s):
            return await anext(chunks, None)
    except TimeoutError as error:
        raise DeadlineExceeded(f"nothing came for {stall_timeout_s:g} s") from error


class _Form:
    """What the parser says, as pieces."""

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise BadRequest(_WRONG_FIELD)
        self.has_ended = False
        self._pieces: list[Piece] = []
        self._other_fields = 0
        self._is_file = False
        self._header = [b"", b""]
        self._disposition = b""
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._part_begins,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_ends,
                    "on_headers_finished": self._headers_end,
                    "on_part_data": self._data,
                    "on_part_end": self._part_ends,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise BadRequest(_BROKEN) from error

    def take(self, chunk: bytes) -> list[Piece]:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise BadRequest(_BROKEN) from error
        pieces, self._pieces = self._pieces, []
        return pieces

    def _part_begins(self) -> None:
        self._disposition = b""
        self._is_file = False

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header[0] += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1] += data[start:end]

    def _header_ends(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            self._disposition = value
        self._header = [b"", b""]

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in options:
            self._other_fields += 1
            if name == FIELD or self._other_fields > MOST_OTHER_FIELDS:
                raise BadRequest(_WRONG_FIELD)
            return
        if name != FIELD:
            raise BadRequest(_WRONG_FIELD)
        self._is_file = True
        self._pieces.append(FileBegins(options[b"filename"].decode("utf-8", "replace")))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._pieces.append(data[start:end])

    def _part_ends(self) -> None:
        if self._is_file:
            self._pieces.append(FileEnds())

    def _end(self) -> None:
        self.has_ended = True
