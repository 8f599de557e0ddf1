"""Multipart bodies of many files, made while they are sent, so that they need no memory here either."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator

BOUNDARY = "batch-of-files"
HEADERS = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def body_of(files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Yield the body of a batch of files, each by its name and bytes."""
    for name, content in files:
        yield f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
        yield content
        yield b"\r\n"
    yield f"--{BOUNDARY}--\r\n".encode()


def zip_of(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a ZIP of files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files:
            archive.writestr(name, content)
    return stream.getvalue()
