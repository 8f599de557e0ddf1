from __future__ import annotations

import asyncio
import contextlib
import socket

from shared.app import listen
from shared.http_client import KEEP_IDLE_S
from shared.serving import KEEP_ALIVE_S


async def test_small_answers_are_sent_at_once() -> None:
    with contextlib.closing(listen("test", "127.0.0.1", 0)) as listener:
        accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            accepted.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(serve, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            assert await accepted != 0
            writer.close()
            await writer.wait_closed()


def test_no_client_of_ours_uses_a_connection_that_its_server_may_be_closing() -> None:
    assert KEEP_IDLE_S <= KEEP_ALIVE_S / 2
