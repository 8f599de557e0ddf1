"""Stop a uvicorn server in the order that fails nobody, and within its time whatever hangs.

After SIGTERM or SIGINT: unready at once, still serving for a moment; then no new connections, what is under way is
finished, streams end; then the lifespan lets go of what it holds. Who is not done when the time is over is ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from shared.draining import Draining
from shared.http_protocol import BoundedHeadProtocol, Shed

log = logging.getLogger(__name__)

FORCED_EXIT_CODE = 1
FOR_CLOSING = 0.3
"""Of the time so much is kept for the lifespan, after the requests."""
LOOK_S = 0.1
KEEP_ALIVE_S = 75
"""Longer than our own clients keep an idle connection, or one would be closed as the next request is being sent."""


class StoppableServer(uvicorn.Server):
    """A server for one app, stopped by signals."""

    def __init__(self, app: ASGIApp, *, draining: Draining, timeout_s: float, shed: Shed | None = None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=partial(BoundedHeadProtocol, shed=shed),  # type: ignore[arg-type]  # it makes what a class would
                log_config=None,
                access_log=False,
                lifespan="on",
                timeout_keep_alive=KEEP_ALIVE_S,
            )
        )
        self._draining = draining
        self._timeout_s = timeout_s
        self._forcing: threading.Timer | None = None
        self._wake: Callable[[], object] = bool
        """Lets `main_loop` look at once; there is none yet."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Begin to stop; further signals change nothing."""
        if self._forcing is None:
            self._forcing = threading.Timer(self._timeout_s, self._force)
            self._forcing.daemon = True
            self._forcing.start()
        if self.started:
            self._draining.begin()
        else:
            self.should_exit = True
        self._wake()

    def leave(self) -> None:
        """End the process if it was told to stop: all that is ours is closed, and TensorFlow takes seconds to go."""
        if self._forcing is not None:
            self._forcing.cancel()
            logging.shutdown()
            os._exit(0)

    async def main_loop(self) -> None:
        """Look once a second, and ten times a second when told to stop, as uvicorn always does: idle services sleep."""
        told = asyncio.Event()
        self._wake = partial(asyncio.get_running_loop().call_soon_threadsafe, told.set)
        tenths = 0
        while not await self.on_tick(tenths):
            if told.is_set():
                await asyncio.sleep(LOOK_S)
                tenths += 1
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(told.wait(), 10 * LOOK_S)
                tenths += 10

    async def on_tick(self, counter: int) -> bool:
        """Look whether to listen no more; `counter` counts tenths of a second."""
        if self._draining.may_stop_listening():
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what is under way."""
        began_s = self._draining.began_s
        spent_s = 0.0 if began_s is None else self._draining.clock() - began_s
        for_requests_s = max(0.0, (1 - FOR_CLOSING) * self._timeout_s - spent_s)
        self.config.timeout_graceful_shutdown = for_requests_s  # type: ignore[assignment]  # it takes fractions, too
        ending = asyncio.create_task(self._end_streams())
        try:
            await super().shutdown(sockets)
        finally:
            ending.cancel()

    async def _end_streams(self) -> None:
        while True:
            self._draining.end_streams()
            await asyncio.sleep(LOOK_S)

    def _force(self) -> None:
        log.error("stop_forced", extra={"after_s": self._timeout_s})
        os._exit(FORCED_EXIT_CODE)
