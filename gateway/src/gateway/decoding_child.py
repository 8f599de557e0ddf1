"""The process that decodes strangers' files: one after the other, within limits that it sets upon itself.

It is started by `gateway.decoding_process`, reads files from standard input and writes what it found to standard
output, which are one socket. Both speak in lengths, JSON and bytes, never in pickles: what takes this process over must
not reach the next one. It has no secrets (its environment is empty but for paths), opens no connection, and cannot
write a file.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import struct
import sys
from typing import BinaryIO

from shared.decoding import TooManyPixels, UnknownFormat, UnreadableImage
from shared.previews import Inspection, inspect_image

LENGTH = struct.Struct(">Q")
READY = b"+"

UNKNOWN, TOO_LARGE, BROKEN, TOO_HUNGRY = "unknown", "too_large", "broken", "too_hungry"


def main() -> None:
    """Serve until standard input ends."""
    pixel_limit, memory_bytes, timeout_s = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    files, answers = sys.stdin.buffer, sys.stdout.buffer
    _load_decoders(pixel_limit)
    _limit_itself(memory_bytes)
    answers.write(READY)
    answers.flush()
    while (file := _next_file(files)) is not None:
        # Whoever started this ends it when it takes too long; where they are gone, it ends itself.
        signal.setitimer(signal.ITIMER_REAL, 2 * timeout_s)
        head, preview = _answer(file, pixel_limit)
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(LENGTH.pack(len(head)) + head + LENGTH.pack(len(preview)) + preview)
        answers.flush()


def _load_decoders(pixel_limit: int) -> None:
    """Decode one small picture of the costliest kind, or the first file would wait for all of that."""
    from io import BytesIO  # noqa: PLC0415  # only here

    import pillow_heif  # noqa: PLC0415  # the decoder learns HEIC only when one comes
    from PIL import Image  # noqa: PLC0415

    pillow_heif.register_heif_opener()
    for kind in ("HEIF", "JPEG"):
        encoded = BytesIO()
        Image.new("RGB", (16, 16)).save(encoded, kind)
        inspect_image(encoded.getvalue(), pixel_limit=pixel_limit)


def _limit_itself(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A decoder's complaints quote the file, and would stand in the gateway's log as if they were its own.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _next_file(files: BinaryIO) -> bytes | None:
    length = files.read(LENGTH.size)
    if len(length) < LENGTH.size:
        return None
    size_bytes = LENGTH.unpack(length)[0]
    file = files.read(size_bytes)
    return file if len(file) == size_bytes else None


def _answer(file: bytes, pixel_limit: int) -> tuple[bytes, bytes]:
    try:
        return _found(inspect_image(file, pixel_limit=pixel_limit))
    except UnknownFormat as error:
        return _refused(UNKNOWN, str(error))
    except TooManyPixels as error:
        return _refused(TOO_LARGE, str(error))
    except UnreadableImage as error:
        return _refused(BROKEN, str(error))
    except MemoryError:
        return _refused(TOO_HUNGRY, "")


def _found(found: Inspection) -> tuple[bytes, bytes]:
    head = {"media_type": found.media_type, "width": found.width, "height": found.height}
    return json.dumps(head).encode(), found.preview


def _refused(kind: str, detail: str) -> tuple[bytes, bytes]:
    return json.dumps({"refused": kind, "detail": detail}).encode(), b""


if __name__ == "__main__":
    main()
