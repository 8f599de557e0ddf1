"""The gateway's decoding process, started once for all tests that look at files with it."""

from __future__ import annotations

from gateway.decoding_process import DecodingLimits, DecodingProcess
from shared.previews import Inspection

MEMORY_BYTES = 1536 * 2**20
TIMEOUT_S = 30.0

_started: dict[int, DecodingProcess] = {}


def inspect(image: bytes, *, pixel_limit: int) -> Inspection:
    """Return what the gateway finds out about a file, or raise as it does."""
    return _process(pixel_limit).inspect(image, timeout_s=TIMEOUT_S)


def end_all() -> None:
    """End what was started."""
    while _started:
        _started.popitem()[1].close()


def _process(pixel_limit: int) -> DecodingProcess:
    if process := _started.get(pixel_limit):
        return process
    process = DecodingProcess(DecodingLimits(pixel_limit=pixel_limit, memory_bytes=MEMORY_BYTES, timeout_s=TIMEOUT_S))
    process.start()
    _started[pixel_limit] = process
    return process
