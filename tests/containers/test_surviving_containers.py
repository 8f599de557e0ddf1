"""Containers that die, stand still or are made anew: nothing that was acknowledged is lost, nothing fails for good."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
import pytest

from tests.containers.compose import Stack, running_containers, wait_until_ready
from tests.pictures import photo_bytes

pytestmark = pytest.mark.timeout(2400)

SERVICES = ("gateway", "caption-service", "classify-service", "storage-service")
CLIENTS = 2
PATIENCE_S = 180.0
"""So long a client comes back with the same image."""
COMPLETE_WITHIN_S = 240.0
PAUSED_S = 12
MAY_COME_BACK = frozenset({502, 503, 504})

KILL_MAIN_PROCESS = """
import os, pathlib, signal
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        parent = folder.joinpath("stat").read_text().rpartition(")")[2].split()[1]
    except OSError:
        continue
    if parent == "1":
        os.kill(int(folder.name), signal.SIGKILL)
"""
METRICS = "http://127.0.0.1:8001/metrics"
KILL_MYSQL = 'for p in /proc/[0-9]*; do [ "$(cut -d " " -f 4 $p/stat)" != 1 ] || kill -9 ${p#/proc/}; done'


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_containers() as stack:
        yield stack


@dataclass
class Clients:
    """People who upload one image after the other, and come back when they are told to."""

    stack: Stack
    stored: dict[str, bytes] = field(default_factory=dict)
    """What was acknowledged, by id."""
    refused: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def upload(self) -> None:
        """Upload until told to stop."""
        headers = {"Authorization": f"Bearer {self.stack.key}"}
        with httpx.Client(base_url=self.stack.url, headers=headers, timeout=60) as client:
            while not self.stop.is_set():
                image = photo_bytes() + uuid4().bytes  # what follows the end of a JPEG makes it another file
                self._upload_one(client, image)

    def _upload_one(self, client: httpx.Client, image: bytes) -> None:
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up:
            try:
                response = client.post("/api/v1/images", files={"file": ("a.jpg", image, "image/jpeg")})
            except httpx.TransportError as error:
                self.refused[type(error).__name__] += 1
            else:
                if response.status_code in {200, 201}:
                    self.stored[response.json()["id"]] = image
                    return
                self.refused[str(response.status_code)] += 1
                if response.status_code not in MAY_COME_BACK:
                    self.failures.append(response.text)
                    return
            time.sleep(1)
        self.failures.append(f"an image was not taken within {PATIENCE_S:.0f} s: {dict(self.refused)}")


@contextmanager
def _clients(stack: Stack) -> Iterator[Clients]:
    clients = Clients(stack)
    threads = [threading.Thread(target=clients.upload) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield clients
    finally:
        clients.stop.set()
        for thread in threads:
            thread.join()
    assert clients.failures == []
    _require_all(stack, clients)


def _require_all(stack: Stack, clients: Clients) -> None:
    """Look that each acknowledged image is there, whole, and gets its words."""
    give_up = time.monotonic() + COMPLETE_WITHIN_S
    headers = {"Authorization": f"Bearer {stack.key}"}
    with httpx.Client(base_url=stack.url, headers=headers, timeout=60) as client:
        for image_id, image in clients.stored.items():
            while client.get(f"/api/v1/images/{image_id}").raise_for_status().json()["status"] != "complete":
                assert time.monotonic() < give_up, f"image {image_id} is not complete"
                time.sleep(1)
            assert client.get(f"/api/v1/images/{image_id}/content").content == image


def _wait_for_more(clients: Clients, more: int = 2) -> None:
    """Wait until so many more images were acknowledged."""
    wanted = len(clients.stored) + more
    give_up = time.monotonic() + PATIENCE_S
    while len(clients.stored) < wanted and not clients.failures:
        assert time.monotonic() < give_up, f"no image was taken within {PATIENCE_S:.0f} s: {dict(clients.refused)}"
        time.sleep(0.2)


def _restarts(stack: Stack, service: str) -> int:
    return int(stack.inspect(service)["RestartCount"])


def test_a_killed_process_is_started_again_and_nothing_is_lost(stack: Stack) -> None:
    with _clients(stack) as clients:
        for service in SERVICES:
            _wait_for_more(clients)
            stack.compose("exec", "-T", service, "python", "-c", KILL_MAIN_PROCESS)
            give_up = time.monotonic() + PATIENCE_S
            while _restarts(stack, service) == 0:
                assert time.monotonic() < give_up, f"{service} was not started again"
                time.sleep(0.5)
        stack.compose("exec", "-T", "mysql", "sh", "-c", KILL_MYSQL)
        _wait_for_more(clients)


def test_while_mysql_stands_still_uploads_are_refused_and_afterwards_taken(stack: Stack) -> None:
    with _clients(stack) as clients:
        _wait_for_more(clients)
        stack.compose("pause", "mysql")
        try:
            time.sleep(PAUSED_S)
        finally:
            stack.compose("unpause", "mysql")
        _wait_for_more(clients)


def test_all_containers_may_be_made_anew_one_after_the_other_under_load(stack: Stack) -> None:
    with _clients(stack) as clients:
        for service in ("caption-service", "classify-service", "storage-service", "gateway"):
            _wait_for_more(clients)
            before = stack.inspect(service)["Id"]
            stack.compose("up", "--detach", "--no-deps", "--force-recreate", service, timeout_s=300)
            assert stack.inspect(service)["Id"] != before
        _wait_for_more(clients)
    stack.compose("up", "--detach", "--force-recreate", timeout_s=600)
    wait_until_ready(stack)
    _require_all(stack, clients)


def test_more_caption_services_share_the_work(stack: Stack) -> None:
    stack.compose("up", "--detach", "--no-recreate", "--scale", "caption-service=2", timeout_s=300)
    with _clients(stack) as clients:
        _wait_for_more(clients, 20)
        for replica in ("1", "2"):  # the second one may still be loading its model
            give_up = time.monotonic() + PATIENCE_S
            while _described(stack, replica) == 0:
                assert time.monotonic() < give_up, f"replica {replica} described nothing within {PATIENCE_S:.0f} s"
                _wait_for_more(clients)


def _described(stack: Stack, replica: str) -> float:
    """Return how many requests a caption-service has answered; none while it is being started."""
    told = f"import httpx; print(httpx.get({METRICS!r}).text)"
    try:
        metrics = stack.compose("exec", "-T", "--index", replica, "caption-service", "python", "-c", told)
    except RuntimeError:
        return 0
    described = [line for line in metrics.splitlines() if line.startswith("nv_inference_request_success{")]
    return sum(float(line.rpartition(" ")[2]) for line in described)
