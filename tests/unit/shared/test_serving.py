from __future__ import annotations

import asyncio
import contextlib
import signal
import socket

import pytest
from fastapi import FastAPI

from shared import serving
from shared.app import listen
from shared.draining import Draining
from shared.http_client import KEEP_IDLE_S
from shared.serving import KEEP_ALIVE_S, StoppableServer


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


@pytest.mark.parametrize("is_early", [False, True])
async def test_whoever_looks_seldom_looks_at_once_when_told_to_stop(
    monkeypatch: pytest.MonkeyPatch, is_early: bool
) -> None:
    monkeypatch.setattr(serving, "LOOK_S", 60.0)
    draining = Draining()
    server = StoppableServer(FastAPI(), draining=draining, timeout_s=600.0)
    server.started = True
    if is_early:
        server.handle_exit(signal.SIGTERM, None)
    looking = asyncio.create_task(server.main_loop())
    await asyncio.sleep(0)
    if not is_early:
        assert not looking.done()
        server.handle_exit(signal.SIGTERM, None)
    await asyncio.wait_for(looking, 30)
    assert server._forcing is not None
    server._forcing.cancel()


def test_no_client_of_ours_uses_a_connection_that_its_server_may_be_closing() -> None:
    assert KEEP_IDLE_S <= KEEP_ALIVE_S / 2
