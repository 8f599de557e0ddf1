"""A full gateway, through real sockets: what it refuses it refuses before the bytes are sent."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.integration.gateway.processes import running
from tests.live_platform import ROOT, free_ports

HUGE_BYTES = 15_000_000
TIMEOUT_S = 20.0


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """One that takes one upload at a time, with nobody behind it."""
    port, nobody = free_ports(2)
    environment = {"GATEWAY_PORT": str(port), "GATEWAY_UPLOADS_AT_ONCE": "1", "GATEWAY_WEB": str(ROOT / "web")} | {
        f"GATEWAY_{name}_URL": f"http://127.0.0.1:{nobody}" for name in ("CAPTION", "CLASSIFY", "STORAGE")
    }
    folder: Path = tmp_path_factory.mktemp("gateway")
    with running("gateway", folder, environment, f"http://127.0.0.1:{port}") as client:
        yield client


def _connect(gateway: httpx.Client, *headers: str) -> socket.socket:
    """Begin an upload whose body does not come."""
    connection = socket.create_connection(("127.0.0.1", gateway.base_url.port or 0), timeout=TIMEOUT_S)
    lines = [
        "POST /api/v1/images HTTP/1.1",
        "Host: gateway",
        "Content-Type: multipart/form-data; boundary=b",
        f"Content-Length: {HUGE_BYTES}",
        *headers,
    ]
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    return connection


def _answer(connection: socket.socket) -> str:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    return received.decode()


def _wait_for_load(gateway: httpx.Client, load: float) -> None:
    give_up = time.monotonic() + TIMEOUT_S
    while gateway.get("/health/ready").json()["load"] != load:
        assert time.monotonic() < give_up
        time.sleep(0.02)


def _occupied(gateway: httpx.Client) -> socket.socket:
    """Take the gateway's one place when it is free, and wait until it is taken."""
    _wait_for_load(gateway, 0)
    connection = _connect(gateway)
    _wait_for_load(gateway, 1)
    return connection


def test_a_full_gateway_answers_before_a_byte_of_the_body_is_sent(gateway: httpx.Client) -> None:
    with closing(_occupied(gateway)):
        with closing(_connect(gateway, "Expect: 100-continue")) as refused:
            answer = _answer(refused)
        with closing(_connect(gateway)) as impatient:
            also = _answer(impatient)
    for each in (answer, also):
        assert each.startswith("HTTP/1.1 503")
        assert "retry-after: " in each.lower()


def test_a_client_that_sends_everything_first_reads_its_refusal_and_costs_no_memory(gateway: httpx.Client) -> None:
    with closing(_occupied(gateway)):
        for _ in range(3):
            response = gateway.post("/api/v1/images", files={"file": ("huge.jpg", os.urandom(HUGE_BYTES))})
            assert (response.status_code, response.json()["code"]) == (503, "overloaded")


def test_a_place_is_free_again_when_its_client_has_left(gateway: httpx.Client) -> None:
    with closing(_occupied(gateway)):
        pass
    _wait_for_load(gateway, 0)
    with closing(_connect(gateway, "Expect: 100-continue")) as connection:
        assert _answer(connection).startswith("HTTP/1.1 100")
