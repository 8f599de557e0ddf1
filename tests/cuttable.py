"""A connection to a real server that a test can cut, stall, slow, reset and truncate, as networks and servers do."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

CHUNK_BYTES = 65536


class Cuttable:
    """Listens on a port of its own and passes on what comes; its methods may be called from any thread."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._is_cut = False
        self._delay_s = 0.0
        self._most_bytes: int | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    def start(self) -> None:
        self._thread.start()
        self._call(self._listen())

    def close(self) -> None:
        self.cut()
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Close all connections, and each new one at once, like a server that was killed."""
        self._call(self._set(cut=True, flowing=True))

    def stall(self) -> None:
        """Pass nothing on, and close nothing, like a server that was stopped."""
        self._call(self._set(cut=False, flowing=False))

    def delay(self, seconds: float) -> None:
        """Hold each piece back for so long."""
        self._call(self._set(cut=False, flowing=True, delay_s=seconds))

    def reset(self) -> None:
        """Break all connections with a reset, and each new one as soon as something comes."""
        self._call(self._set(cut=False, flowing=True, most_bytes=0, reset=True))

    def truncate(self, most_bytes: int) -> None:
        """Break each connection with a reset when the server has answered so many bytes."""
        self._call(self._set(cut=False, flowing=True, most_bytes=most_bytes))

    def restore(self) -> None:
        """Work again; what was held back goes on."""
        self._call(self._set(cut=False, flowing=True))

    def _call(self, work: object) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)  # type: ignore[arg-type]

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _set(
        self,
        *,
        cut: bool,
        flowing: bool,
        delay_s: float = 0.0,
        most_bytes: int | None = None,
        reset: bool = False,
    ) -> None:
        self._is_cut = cut
        self._delay_s = delay_s
        self._most_bytes = most_bytes
        if flowing:
            self._flowing.set()
        else:
            self._flowing.clear()
        if cut or reset:
            for task in self._open:
                task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        with contextlib.closing(writer.transport):
            if self._is_cut:
                return
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._flowing.wait()
                to_reader, to_writer = await asyncio.open_connection(*self._target)
                with contextlib.closing(to_writer.transport):
                    there = asyncio.create_task(self._pass_on(reader, to_writer))
                    back = asyncio.create_task(self._pass_on(to_reader, writer, is_answer=True))
                    try:
                        await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        there.cancel()
                        back.cancel()
                        await asyncio.gather(there, back, return_exceptions=True)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool = False
    ) -> None:
        passed = 0
        while chunk := await reader.read(CHUNK_BYTES):
            await self._flowing.wait()
            if self._delay_s:
                await asyncio.sleep(self._delay_s)
            if is_answer and self._most_bytes is not None and passed + len(chunk) > self._most_bytes:
                writer.write(chunk[: self._most_bytes - passed])
                await writer.drain()
                _reset(writer)
                return
            passed += len(chunk)
            writer.write(chunk)
            await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close without the farewell of TCP: who reads meets an error instead of an end."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def cuttable(host: str, port: int) -> Iterator[Cuttable]:
    """Run one while a test needs it."""
    connection = Cuttable(host, port)
    connection.start()
    try:
        yield connection
    finally:
        connection.close()
