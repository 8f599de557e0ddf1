"""Keep one decoding process: give it a file, wait for what it found, and kill and replace it when it is over a limit.

`pebble` and `concurrent.futures` would answer in pickles, which a process that a hostile file has taken over could
forge, and would import the whole service anew in every child; what is needed without them is small.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.decoding_channel import DecoderDied, DecodingChannel
from gateway.decoding_child import BROKEN, READY, TOO_HUNGRY, TOO_LARGE, UNKNOWN
from shared.errors import BrokenImage, ImageTooLarge, UnsupportedImage
from shared.previews import MEDIA_TYPES, Inspection

__all__ = ["DecoderDied", "DecodingLimits", "DecodingProcess", "DecodingTooSlow"]

START_TIMEOUT_S = 60.0
_HEAD_LIMIT_BYTES = 4096
_PREVIEW_LIMIT_BYTES = 2 * 1024 * 1024
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "LANG")
"""What a decoding process inherits; secrets are not among it."""


class DecodingTooSlow(Exception):
    """The process was killed because its time was over."""


@dataclass(frozen=True)
class DecodingLimits:
    """How much one file may cost."""

    pixel_limit: int
    memory_bytes: int
    """Of the whole process, its libraries included."""
    timeout_s: float


class _Head(BaseModel):
    """What the process says before the preview; it is believed no further than this."""

    model_config = ConfigDict(strict=True, extra="forbid")

    media_type: str = ""
    width: int = Field(default=0, ge=0)
    height: int = Field(default=0, ge=0)
    refused: Literal["", "unknown", "too_large", "broken", "too_hungry"] = ""
    detail: str = Field(default="", max_length=300)


class DecodingProcess:
    """One process; not for two threads at once."""

    def __init__(self, limits: DecodingLimits) -> None:
        self._limits = limits
        self._child: tuple[subprocess.Popen[bytes], DecodingChannel] | None = None
        self._is_ready = False

    def start(self) -> None:
        """Start it and wait until its decoders are loaded.

        Raises:
            DecoderDied: it does not start; its own words are on standard error.
            DecodingTooSlow: not within START_TIMEOUT_S.
        """
        self._spawn()
        self._wait_until_ready()

    def inspect(self, image: bytes, *, timeout_s: float) -> Inspection:
        """Return what the process finds out about one file.

        Raises:
            UnsupportedImage, ImageTooLarge, BrokenImage: the file is refused.
            DecodingTooSlow: it took longer than `timeout_s`; the process was replaced.
            DecoderDied: the process ended over it; it was replaced.
        """
        if self._child is None or self._child[0].poll() is not None:
            self._spawn()
        if not self._is_ready:
            self._wait_until_ready()
        _, channel = self._running()
        try:
            channel.allow(timeout_s)
            channel.send(image)
            head = _head(channel.receive(_HEAD_LIMIT_BYTES))
            preview = channel.receive(_PREVIEW_LIMIT_BYTES)
            if head.refused == TOO_HUNGRY:
                self._spawn()  # what it could not finish may still hold memory
            return _inspection(head, preview, self._limits)
        except TimeoutError as error:
            self._spawn()
            raise DecodingTooSlow(f"the decoding process was killed after {timeout_s:.1f} s") from error
        except (OSError, DecoderDied) as error:
            self._spawn()
            raise DecoderDied("the decoding process ended over this file") from error

    def close(self) -> None:
        """End the process, whatever it does."""
        child, self._child = self._child, None
        if child is None:
            return
        process, channel = child
        process.kill()
        process.wait()
        channel.close()

    @property
    def pid(self) -> int:
        """The process' id."""
        return self._running()[0].pid

    def _running(self) -> tuple[subprocess.Popen[bytes], DecodingChannel]:
        if self._child is None:
            raise RuntimeError("the decoding process is started before the first file")
        return self._child

    def _spawn(self) -> None:
        self.close()
        self._is_ready = False
        limits = self._limits
        figures = [str(limits.pixel_limit), str(limits.memory_bytes), str(limits.timeout_s)]
        channel = DecodingChannel()
        # -P: no module comes from the folder that the service was started in. A session of its own: Ctrl-C is for us.
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-W", "ignore", "-m", "gateway.decoding_child", *figures],
            stdin=channel.far.fileno(),
            stdout=channel.far.fileno(),
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            start_new_session=True,
        )
        channel.far.close()
        self._child = process, channel

    def _wait_until_ready(self) -> None:
        _, channel = self._running()
        try:
            channel.allow(START_TIMEOUT_S)
            if channel.receive_exactly(len(READY)) != READY:
                raise DecoderDied("the decoding process does not start")
        except TimeoutError as error:
            raise DecodingTooSlow(f"the decoding process did not start within {START_TIMEOUT_S:.0f} s") from error
        self._is_ready = True


def _head(said: bytes) -> _Head:
    try:
        return _Head.model_validate_json(said)
    except ValidationError as error:
        raise DecoderDied("the decoding process speaks nonsense") from error


def _inspection(head: _Head, preview: bytes, limits: DecodingLimits) -> Inspection:
    if head.refused == UNKNOWN:
        raise UnsupportedImage(head.detail)
    if head.refused == TOO_LARGE:
        raise ImageTooLarge(head.detail)
    if head.refused == BROKEN:
        raise BrokenImage(head.detail)
    if head.refused == TOO_HUNGRY:
        mib = limits.memory_bytes // 2**20
        raise BrokenImage(f"the image cannot be decoded within the {mib} MB of memory that one image may take")
    if head.media_type not in MEDIA_TYPES.values() or not preview.startswith(b"\xff\xd8\xff"):
        raise DecoderDied("the decoding process speaks nonsense")
    return Inspection(head.media_type, head.width, head.height, preview)
