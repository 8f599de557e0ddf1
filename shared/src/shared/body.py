"""Read a request's body without trusting its length."""

from __future__ import annotations

import asyncio
import logging

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.types import Message

from shared.deadline import Deadline
from shared.errors import BadRequest, DeadlineExceeded, ImageTooLarge, Overloaded, UnsupportedImage

log = logging.getLogger(__name__)

_MOST_DIGITS = 18
"""Of a length; Python refuses to read a number of thousands of digits."""


async def read_image_body(request: Request, *, limit_bytes: int, deadline: Deadline) -> bytes:
    """Return the whole body, which is one image file.

    Raises:
        ImageTooLarge: more bytes than the limit; the rest is not read.
        UnsupportedImage: no bytes at all.
        DeadlineExceeded: the body did not arrive in time.
    """
    chunks: list[bytes] = []
    size_bytes = 0
    try:
        async with asyncio.timeout(deadline.remaining_s()):
            async for chunk in request.stream():
                size_bytes += len(chunk)
                if size_bytes > limit_bytes:
                    raise ImageTooLarge(
                        f"the image is larger than {readable_size(limit_bytes)}, the most accepted here"
                    )
                chunks.append(chunk)
    except TimeoutError as error:
        raise DeadlineExceeded("the image did not arrive in time") from error
    if not size_bytes:
        raise UnsupportedImage("the body is empty; it must be an image file")
    return b"".join(chunks)


async def read_form(request: Request, *, limit_bytes: int, max_files: int, max_fields: int) -> FormData:
    """Return a multipart body's parts; whoever calls closes the form.

    Raises:
        ImageTooLarge: more bytes than the limit; the parser, which reads to the end, is stopped there.
        BadRequest: no multipart body that can be read; also as Starlette's HTTPException 400.
        Overloaded: there is no room for it now; large parts are kept in temporary files.
    """
    limited = _limit_body(request, limit_bytes=limit_bytes)
    try:
        return await limited.form(max_files=max_files, max_fields=max_fields)
    except (UnicodeError, ValueError) as error:  # a charset like `undefined` or `punycode`, as `codecs` knows them
        raise BadRequest("the form's names cannot be read in the charset that its Content-Type names") from error
    except OSError as error:
        log.error("body_not_kept", extra={"reason": str(error)})
        raise Overloaded(f"there is no room for the file now: {error.strerror}; try again later") from error


def shown_filename(part: UploadFile) -> str:
    """Return the name that a form gives to its file; what no encoding can write is replaced, none is an empty name."""
    return (part.filename or "").encode("utf-8", "replace").decode("utf-8")


def readable_size(size_bytes: int) -> str:
    """Return a size as people say it: `20 MB`, `98 kB`; a megabyte is 2^20 bytes."""
    return f"{size_bytes / 2**20:.3g} MB" if size_bytes >= 2**20 else f"{size_bytes / 2**10:.3g} kB"


def _limit_body(request: Request, *, limit_bytes: int) -> Request:
    """Return the same request with a body that raises ImageTooLarge as soon as it passes the limit."""
    refusal = ImageTooLarge(f"the file is larger than {readable_size(limit_bytes)}, the most accepted here")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and (len(declared) > _MOST_DIGITS or int(declared) > limit_bytes):
        raise refusal
    size_bytes = 0

    async def receive() -> Message:
        nonlocal size_bytes
        message = await request.receive()
        size_bytes += len(message.get("body", b""))
        if size_bytes > limit_bytes:
            raise refusal
        return message

    return Request(request.scope, receive)
