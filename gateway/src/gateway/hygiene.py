"""Let strangers' bytes be decoded where they can do no harm, by as many processes as may work at once.

A thread waits for each process, so the event loop never does, and the queue before them is bounded like any other.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import queue
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from gateway.decoding_process import DecoderDied, DecodingLimits, DecodingProcess, DecodingTooSlow
from shared.app import StartupError
from shared.deadline import Deadline
from shared.errors import BrokenImage, DeadlineExceeded
from shared.previews import Inspection
from shared.worker import BoundedWorker

log = logging.getLogger(__name__)

HASHED_AT_ONCE_BYTES = 64 * 1024
"""What is not larger keeps the event loop for well under a millisecond, and need not wake a thread."""
SEEN_SOON_BYTES = 256 * 1024
"""What is larger is looked at when storage has said that it is not known: decoding it in vain would cost much."""


class Hygiene:
    """Looks at strangers' bytes: what they are, and what a person sees in them."""

    def __init__(self, *, processes: int, waiting: int, limits: DecodingLimits) -> None:
        self._limits = limits
        self._worker = BoundedWorker("decoding", threads=processes, waiting=waiting)
        self._processes = [DecodingProcess(limits) for _ in range(processes)]
        self._idle: queue.SimpleQueue[DecodingProcess] = queue.SimpleQueue()
        for process in self._processes:
            self._idle.put(process)

    async def start(self) -> None:
        """Start all processes, with their decoders loaded.

        Raises:
            StartupError: one does not start.
        """
        try:
            await asyncio.gather(*(asyncio.to_thread(process.start) for process in self._processes))
        except (OSError, DecoderDied, DecodingTooSlow) as error:
            raise StartupError(f"no image could be decoded: {error}") from error

    def close(self) -> None:
        """Drop what waits, finish what is under way, end the processes."""
        self._worker.close()
        for process in self._processes:
            process.close()

    @property
    def pids(self) -> list[int]:
        """The processes' ids."""
        return [process.pid for process in self._processes]

    def require_room(self, *, deadline: Deadline) -> None:
        """Raise as `BoundedWorker.require_room` does, before an image is read that could not be looked at in time."""
        self._worker.require_room(deadline=deadline)

    async def fingerprint(self, image: bytes, *, deadline: Deadline) -> str:
        """Return the SHA-256 as hex: what makes two files the same image; raises as `BoundedWorker.run` does."""
        if len(image) <= HASHED_AT_ONCE_BYTES:
            return hashlib.sha256(image).hexdigest()
        return await self._worker.run(lambda: hashlib.sha256(image).hexdigest(), deadline=deadline)

    async def inspect(self, image: bytes, *, deadline: Deadline) -> Inspection:
        """Check an encoded image and make its preview; the first frame stands for an animation.

        Raises:
            UnsupportedImage: not an image of a format in `previews.MEDIA_TYPES`.
            ImageTooLarge: more pixels than the limit; nothing was decoded.
            BrokenImage: it cannot be decoded, or not within the limits.
            Overloaded, DeadlineExceeded: see `BoundedWorker.run`; an image whose deadline has passed is not begun.
        """
        return await self._worker.run(lambda: self._inspect_now(image, deadline), deadline=deadline)

    @asynccontextmanager
    async def looking(
        self, image: bytes, *, deadline: Deadline, soon: bool
    ) -> AsyncIterator[Callable[[], Awaitable[Inspection]]]:
        """Hand out what answers and raises as `inspect`.

        Args:
            image: See `inspect`.
            deadline: See `inspect`.
            soon: Begin at once with a small one, before anybody asks; it is given up when the block ends.
        """
        if not soon or len(image) > SEEN_SOON_BYTES:
            yield lambda: self.inspect(image, deadline=deadline)
            return
        task = asyncio.create_task(self.inspect(image, deadline=deadline))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may have asked for it
        try:
            yield lambda: task
        finally:
            task.cancel()

    def _inspect_now(self, image: bytes, deadline: Deadline) -> Inspection:
        process = self._idle.get()  # there are as many as threads
        try:
            with suppress(DecoderDied):
                return self._inspect_with(process, image, deadline)
            # Someone else may have ended the process. If the next one ends, too, it is the image's doing.
            log.warning("decoding_process_replaced", extra={"image_bytes": len(image)})
            return self._inspect_with(process, image, deadline)
        except DecoderDied as error:
            log.warning("image_ended_decoder", extra={"image_bytes": len(image)})
            raise BrokenImage("the image is damaged: the decoder breaks off over it") from error
        finally:
            self._idle.put(process)

    def _inspect_with(self, process: DecodingProcess, image: bytes, deadline: Deadline) -> Inspection:
        remaining_s = deadline.remaining_s()
        try:
            return process.inspect(image, timeout_s=min(self._limits.timeout_s, remaining_s))
        except DecodingTooSlow as error:
            if remaining_s < self._limits.timeout_s:
                raise DeadlineExceeded("the image could not be decoded before the request's deadline") from error
            log.warning("image_took_too_long", extra={"image_bytes": len(image)})
            raise BrokenImage(
                f"the image cannot be decoded within {self._limits.timeout_s:g} s, the most that one image may take"
            ) from error
