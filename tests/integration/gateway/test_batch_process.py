"""Batches through real processes, without models: many files, a client that leaves, a gateway that is killed."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import pytest

from gateway.batch_account import RECEIVING_S
from shared.upload_batches import BatchCounts, LinkedBatch
from tests.integration.gateway.batch_bodies import BOUNDARY, HEADERS, body_of, zip_of
from tests.integration.gateway.processes import running
from tests.integration.storage.live_service import environment
from tests.live_platform import ROOT, free_ports
from tests.pictures import photo_bytes

TIMEOUT_S = 120.0
SINGLE, ZIPPED = 120, 80


class Machines:
    """A storage-service, and gateways before it that may die."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        ports = dict(zip(("GATEWAY", "STORAGE", "CAPTION", "CLASSIFY"), free_ports(4), strict=True))
        self._environment = environment() | {
            "GATEWAY_PORT": str(ports["GATEWAY"]),
            "STORAGE_PORT": str(ports["STORAGE"]),
            "GATEWAY_WEB": str(ROOT / "web"),
            **{f"GATEWAY_{name}_URL": f"http://127.0.0.1:{ports[name]}" for name in ("STORAGE", "CAPTION", "CLASSIFY")},
        }
        self.url = f"http://127.0.0.1:{ports['GATEWAY']}"
        storage = f"http://127.0.0.1:{ports['STORAGE']}"
        stack.enter_context(running("storage_service", folder, self._environment, storage))
        self.client = stack.enter_context(httpx.Client(base_url=self.url, timeout=TIMEOUT_S, trust_env=False))
        self.gateway = self.start_gateway()

    def start_gateway(self) -> subprocess.Popen[bytes]:
        with (self._folder / "gateway.log").open("a") as log:
            command = [sys.executable, "-m", "gateway"]
            process = subprocess.Popen(command, cwd=self._folder, env=self._environment, stderr=log)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        give_up = time.monotonic() + TIMEOUT_S
        while time.monotonic() < give_up:
            assert process.poll() is None
            try:
                if self.client.get("/health/live").is_success:
                    return process
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError("the gateway did not start")

    def send(self, files: list[tuple[str, bytes]]) -> LinkedBatch:
        response = self.client.post("/api/v1/batches", content=body_of(files), headers=HEADERS)
        assert response.status_code == 202, response.text
        return LinkedBatch.model_validate_json(response.content)

    def batch(self, batch_id: UUID) -> LinkedBatch | None:
        response = self.client.get(f"/api/v1/batches/{batch_id}")
        return LinkedBatch.model_validate_json(response.content) if response.is_success else None

    def wait_for(self, batch_id: UUID, state: str, *, received: int = 0) -> LinkedBatch:
        give_up = time.monotonic() + TIMEOUT_S
        while True:
            batch = self.batch(batch_id)
            if batch and batch.state == state and batch.counts.received >= received:
                return batch
            assert time.monotonic() < give_up, batch
            time.sleep(0.1)

    def half_sent(self, batch_id: UUID, files: list[tuple[str, bytes]]) -> socket.socket:
        """Send the beginning of a batch, and leave the connection open."""
        address = urlsplit(self.url)
        connection = socket.create_connection((address.hostname, address.port), timeout=TIMEOUT_S)
        head = (
            f"POST /api/v1/batches?id={batch_id} HTTP/1.1\r\nHost: here\r\nContent-Length: 100000000\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
        )
        connection.sendall(head.encode())
        *pieces, end = body_of(files)
        connection.sendall(b"".join(pieces) + end.replace(b"--\r\n", b"\r\n"))
        return connection


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with ExitStack() as stack:
        yield Machines(tmp_path_factory.mktemp("machines"), stack)


def _photos(count: int) -> list[tuple[str, bytes]]:
    """Return pictures in bytes that were never seen before; decoders stop at the end-of-image mark."""
    return [(f"{number}.jpg", photo_bytes(number % 12) + uuid4().bytes) for number in range(count)]


def test_hundreds_of_files_and_a_zip_are_stored_at_once_and_wait_for_models(machines: Machines) -> None:
    letters = [("letter.txt", b"Dear Ada"), ("empty.jpg", b"")]
    archive = ("album.zip", zip_of([*_photos(ZIPPED), ("notes.txt", b"Dear Ada")]))
    photos = _photos(SINGLE)

    sent = machines.send([*photos[:80], archive, *letters, *photos[80:]])

    assert (sent.state, sent.eta_s) == ("working", None)
    stored = SINGLE + ZIPPED
    assert sent.counts == BatchCounts(received=stored + 3, pending=stored, refused=3)
    again = machines.send(photos)
    assert again.counts == BatchCounts(received=SINGLE, known=SINGLE, pending=SINGLE)
    cancelled = machines.client.delete(sent.links.batch).json()
    assert (cancelled["counts"]["pending"], cancelled["counts"]["failed"]) == (SINGLE, ZIPPED)


def test_a_client_that_goes_away_leaves_what_it_has_sent(machines: Machines) -> None:
    batch_id = uuid4()
    with closing(machines.half_sent(batch_id, _photos(3))):
        machines.wait_for(batch_id, "receiving", received=3)

    batch = machines.wait_for(batch_id, "interrupted")

    assert batch.counts == BatchCounts(received=3, pending=3)
    assert "closed" in (batch.reason or "")


def test_a_gateway_that_is_killed_leaves_what_it_has_received_and_the_batch_does_not_seem_to_go_on(
    machines: Machines,
) -> None:
    batch_id, photos = uuid4(), _photos(4)
    with closing(machines.half_sent(batch_id, photos)):
        machines.wait_for(batch_id, "receiving", received=4)
        machines.gateway.kill()
        killed_at = time.monotonic()
        machines.gateway.wait()
    machines.gateway = machines.start_gateway()

    batch = machines.wait_for(batch_id, "interrupted")

    assert batch.counts == BatchCounts(received=4, pending=4)
    assert time.monotonic() - killed_at < RECEIVING_S + TIMEOUT_S / 2
    assert machines.send(photos).counts == BatchCounts(received=4, known=4, pending=4)


def test_an_open_stream_of_events_tells_that_files_come_and_does_not_keep_a_gateway_from_stopping(
    machines: Machines,
) -> None:
    batch_id = uuid4()
    heard: list[str] = []

    def listen() -> None:
        with machines.client.stream("GET", f"/api/v1/batches/{batch_id}/events") as response:
            try:
                heard.extend(response.iter_lines())
            except httpx.RemoteProtocolError:
                heard.append("broken off")

    with closing(machines.half_sent(batch_id, _photos(2))):
        machines.wait_for(batch_id, "receiving", received=2)
        listening = threading.Thread(target=listen)
        listening.start()
        time.sleep(2)
        machines.gateway.send_signal(signal.SIGTERM)
        machines.gateway.wait(TIMEOUT_S)
        listening.join(TIMEOUT_S)
    machines.gateway = machines.start_gateway()

    assert any(line.startswith("event: progress") for line in heard)
    assert any(line.startswith("id: ") for line in heard)
    machines.wait_for(batch_id, "interrupted")
