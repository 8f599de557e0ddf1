"""Services as processes that are told to stop while requests and streams are under way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from shared.serving import FORCED_EXIT_CODE
from tests.live_platform import ROOT, free_ports

TIMEOUT_S = 30.0


@dataclass
class Stopping:
    """The running service."""

    process: subprocess.Popen[str]
    url: str

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def ended(self) -> tuple[int, str]:
        """Return the exit code and what was logged."""
        _, log = self.process.communicate(timeout=TIMEOUT_S)
        return self.process.returncode, log

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", trust_env=False, timeout=TIMEOUT_S)


@contextmanager
def _running(**environment: str) -> Iterator[Stopping]:
    port = free_ports(1)[0]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.stopping_service"],
        cwd=ROOT,
        env=os.environ | {"STOPPING_PORT": str(port)} | environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    service = Stopping(process, f"http://127.0.0.1:{port}")
    try:
        give_up = time.monotonic() + TIMEOUT_S
        while True:
            try:
                assert service.get("/health/ready").status_code == 200
                break
            except httpx.TransportError:
                assert process.poll() is None
                assert time.monotonic() < give_up
                time.sleep(0.05)
        yield service
    finally:
        process.kill()
        process.communicate()


def _asked(service: Stopping, path: str, threads: ThreadPoolExecutor) -> Future[httpx.Response]:
    answer = threads.submit(service.get, path)
    give_up = time.monotonic() + TIMEOUT_S
    while "http_requests_in_flight 2.0" not in service.get("/metrics").text:  # that, and asking for it
        assert time.monotonic() < give_up
        time.sleep(0.02)
    return answer


def test_what_is_under_way_is_finished_and_what_comes_late_is_still_answered() -> None:
    with _running() as service, ThreadPoolExecutor() as threads:
        slow = _asked(service, "/slow/1", threads)
        service.stop()
        time.sleep(0.1)
        late = service.get("/slow/0")
        unready = service.get("/health/ready")
        assert (late.status_code, late.headers["Connection"]) == (200, "close")
        assert (unready.status_code, unready.json()["status"]) == (503, "stopping")
        assert (slow.result().status_code, slow.result().content) == (200, b"done")
        assert service.ended()[0] == 0


def test_a_refusal_before_the_body_is_read_reaches_its_client_while_the_service_is_stopped() -> None:
    with _running() as service, httpx.Client(trust_env=False, timeout=TIMEOUT_S) as client:
        assert client.get(f"{service.url}/slow/0").status_code == 200
        service.stop()
        for _ in range(3):
            refused = client.post(f"{service.url}/refused", content=b"x" * 5_000_000)
            assert (refused.status_code, refused.headers["Connection"]) == (503, "close")
        assert service.ended()[0] == 0


def test_an_open_event_stream_does_not_hold_it_and_ends_properly() -> None:
    with _running() as service, httpx.Client(trust_env=False, timeout=TIMEOUT_S) as client:
        with client.stream("GET", f"{service.url}/events") as events:
            pieces = events.iter_bytes()
            assert next(pieces) == b"data: hello\n\n"
            service.stop()
            assert list(pieces) == []
        code, log = service.ended()
    assert code == 0
    assert "Traceback" not in log


def test_a_download_of_unknown_length_does_not_hold_it_and_is_seen_to_be_broken() -> None:
    with _running() as service, httpx.Client(trust_env=False, timeout=TIMEOUT_S) as client:
        with client.stream("GET", f"{service.url}/download") as download:
            pieces = download.iter_bytes()
            next(pieces)
            service.stop()
            with pytest.raises(httpx.RemoteProtocolError):
                list(pieces)
        assert service.ended()[0] == 0


def test_a_request_that_takes_longer_than_the_stop_may_is_told_to_come_back() -> None:
    # The answer is due when 0.3 of the time is left: enough for a machine that does other things, too.
    with _running(STOPPING_SHUTDOWN_TIMEOUT_S="6") as service, ThreadPoolExecutor() as threads:
        slow = _asked(service, "/slow/60", threads)
        service.stop()
        assert slow.result().status_code == 503
        assert slow.result().headers["Retry-After"] == "1"
        assert slow.result().json()["code"] == "overloaded"
        assert service.ended()[0] == 0


def test_what_hangs_at_the_end_is_ended_when_its_time_is_over() -> None:
    with _running(STOPPING_SHUTDOWN_TIMEOUT_S="1.5", CLOSING_S="600") as service:
        service.stop()
        code, log = service.ended()
    assert code == FORCED_EXIT_CODE
    assert "stop_forced" in log
