"""What is said between the gateway and one decoding process: lengths and bytes, in a time that ends.

It is a pair of sockets, since reading from a pipe cannot be given an end without a thread that waits for it.
"""

from __future__ import annotations

import socket
import time

from gateway.decoding_child import LENGTH


class DecoderDied(Exception):
    """The process ended, or spoke nonsense, and nobody had stopped it."""


class DecodingChannel:
    """The gateway's end; each method raises TimeoutError when the time that was allowed last is over."""

    def __init__(self) -> None:
        self._near, self.far = socket.socketpair()
        """`far` is for the process, and closed here once the process has it."""
        self._until_s = 0.0

    def allow(self, seconds: float) -> None:
        """Let all that is said from now on take so long together."""
        self._until_s = time.monotonic() + seconds

    def send(self, message: bytes) -> None:
        """Say bytes of any length."""
        for part in (LENGTH.pack(len(message)), message):
            self._limit()
            self._near.sendall(part)

    def receive(self, limit_bytes: int) -> bytes:
        """Return the next message.

        Raises:
            DecoderDied: there is none, or it is longer than it may be.
        """
        size_bytes = LENGTH.unpack(self.receive_exactly(LENGTH.size))[0]
        if size_bytes > limit_bytes:
            raise DecoderDied("the decoding process says more than it may")
        return self.receive_exactly(size_bytes)

    def receive_exactly(self, size_bytes: int) -> bytes:
        """Return so many bytes; raise DecoderDied when there are fewer."""
        received = bytearray(size_bytes)
        missing = memoryview(received)
        while missing:
            self._limit()
            count = self._near.recv_into(missing)
            if not count:
                raise DecoderDied("the decoding process ended")
            missing = missing[count:]
        return bytes(received)

    def close(self) -> None:
        """Say and hear nothing more."""
        self._near.close()
        self.far.close()

    def _limit(self) -> None:
        remaining_s = self._until_s - time.monotonic()
        if remaining_s <= 0:
            raise TimeoutError
        self._near.settimeout(remaining_s)
