"""Exports through both real services as processes: what they take, and clients that leave or do not read."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.bench.export import export, services, store_random

MOST_GROWTH_BYTES = 40 * 2**20
IMAGES = 12
IMAGE_BYTES = 8 * 2**20
GIVE_UP_S = 60


@pytest.fixture(scope="module")
def running_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple]:
    folder: Path = tmp_path_factory.mktemp("export")
    settings = {"STORAGE_EXPORTS_AT_ONCE": "1", "STORAGE_STALL_TIMEOUT_S": "12", "GATEWAY_STALL_TIMEOUT_S": "8"}
    with services(folder, **settings) as (storage, gateway, processes):
        store_random(storage, images=IMAGES, size_bytes=IMAGE_BYTES)
        yield gateway, processes


def _wait_until_exportable(gateway: httpx.Client) -> None:
    """Wait until the only place for an export is free again."""
    give_up = time.monotonic() + GIVE_UP_S
    while (answer := gateway.get("/api/v1/export", params={"q": "nothing at all"})).status_code == 503:
        assert answer.headers["Retry-After"]
        assert time.monotonic() < give_up
        time.sleep(0.1)
    assert answer.status_code == 200


def test_memory_does_not_grow_with_what_is_exported(running_services: tuple) -> None:
    gateway, processes = running_services
    _wait_until_exportable(gateway)
    measured = export(gateway, processes)
    assert measured.size_bytes > IMAGES * IMAGE_BYTES > 2 * MOST_GROWTH_BYTES
    for process, growth_bytes in measured.growth_bytes.items():
        assert growth_bytes < MOST_GROWTH_BYTES, process


def test_a_client_that_leaves_makes_place_for_the_next(running_services: tuple) -> None:
    gateway, _ = running_services
    _wait_until_exportable(gateway)
    with gateway.stream("GET", "/api/v1/export") as response:
        pieces = response.iter_raw()  # a generator that is dropped would leave, too
        next(pieces)
        assert gateway.get("/api/v1/export").status_code == 503
    _wait_until_exportable(gateway)


def test_a_client_that_stops_reading_makes_place_for_the_next_and_gets_no_whole_zip(running_services: tuple) -> None:
    gateway, _ = running_services
    _wait_until_exportable(gateway)
    with socket.create_connection((gateway.base_url.host, gateway.base_url.port or 80)) as stalled:
        stalled.sendall(b"GET /api/v1/export HTTP/1.1\r\nHost: x\r\n\r\n")
        stalled.recv(1)
        _wait_until_exportable(gateway)
        stalled.settimeout(GIVE_UP_S)
        received = 0
        last = b""
        while piece := stalled.recv(2**20):
            received += len(piece)
            last = (last + piece)[-7:]
    assert received < IMAGES * IMAGE_BYTES
    assert last != b"\r\n0\r\n\r\n"  # the mark of a whole body
