"""What an operator sees of the running services: metrics, logs, request ids, versions."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live_platform import Platform, free_ports

PATIENCE_S = 10
SERVICES = ("gateway", "caption", "classify", "storage")


def _log_of(platform: Platform, service: str) -> list[dict[str, Any]]:
    lines = (platform.folder / "logs" / f"{service}.log").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def _upload(platform: Platform, photo: Path, request_id: str) -> httpx.Response:
    file = photo.read_bytes() + uuid.uuid4().bytes  # bytes that nobody has seen
    url = f"{platform.url}/api/v1/images"
    return httpx.post(url, files={"file": ("cat.jpg", file)}, headers={"X-Request-ID": request_id}, timeout=60)


def _statuses_of(platform: Platform, request_id: str) -> list[int]:
    """Return what storage answered to a request; its line is written after the answer has gone out."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        lines = [line for line in _log_of(platform, "storage") if line.get("request_id") == request_id]
        if lines or time.monotonic() > give_up:
            return [line["status"] for line in lines]
        time.sleep(0.05)


def test_a_request_id_travels_through_all_services(platform: Platform, photo: Path) -> None:
    request_id = f"trace-{uuid.uuid4()}"
    response = _upload(platform, photo, request_id)
    assert (response.status_code, response.headers["X-Request-ID"]) == (201, request_id)
    httpx.delete(f"{platform.url}{response.headers['Location']}", timeout=30).raise_for_status()

    calls = {
        "gateway": "/api/v1/images",
        "caption": "/v1/captions",
        "classify": "/v1/classifications",
        "storage": "/v1/images",
    }
    for service, path in calls.items():
        lines = [line for line in _log_of(platform, service) if line.get("request_id") == request_id]
        assert ("POST", path) in {(line.get("method"), line.get("path")) for line in lines}, service
        assert all(line["service"] == service for line in lines)
    assert "image_stored" in {
        line["event"] for line in _log_of(platform, "storage") if line.get("request_id") == request_id
    }


def test_a_refusal_by_storage_carries_the_callers_request_id(platform: Platform) -> None:
    request_id = f"trace-{uuid.uuid4()}"
    url = f"{platform.url}/api/v1/images/{uuid.uuid4()}"
    problem = httpx.get(url, headers={"X-Request-ID": request_id}, timeout=30).json()
    assert (problem["status"], problem["request_id"]) == (404, request_id)
    assert _statuses_of(platform, request_id) == [404]


@pytest.mark.parametrize("service", SERVICES)
def test_metrics_tell_requests_their_times_and_those_in_flight(platform: Platform, photo: Path, service: str) -> None:
    if service in {"caption", "classify"}:
        path = {"caption": "/v1/captions", "classify": "/v1/classifications"}[service]
        url = f"{platform.service_urls[service]}{path}"
        httpx.post(url, content=photo.read_bytes(), timeout=60).raise_for_status()
    response = httpx.get(f"{platform.service_urls[service]}/metrics", timeout=30)
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    for beginning in (
        "http_requests_total{",
        "http_request_duration_seconds_bucket{",
        "http_requests_in_flight 1.0",
    ):
        assert any(line.startswith(beginning) for line in response.text.splitlines()), beginning
    timed = [line for line in response.text.splitlines() if line.startswith("inference_duration_seconds_count")]
    assert bool(timed) == (service in {"caption", "classify"})
    assert all(float(line.split()[-1]) >= 1 for line in timed)


def test_readiness_tells_versions_of_services_and_models(platform: Platform) -> None:
    said = {name: httpx.get(f"{url}/health/ready", timeout=30).json() for name, url in platform.service_urls.items()}
    assert all(health["version"] for health in said.values())
    models = said["caption"]["models"] + said["classify"]["models"]
    assert all(model["name"] and model["version"] for model in models)
    by_gateway = {(model["name"], model["version"]) for model in said["gateway"]["models"]}
    assert by_gateway == {(model["name"], model["version"]) for model in models}
    assert len(said["caption"]["models"]) >= 1 <= len(said["classify"]["models"])


def test_every_line_that_a_service_logs_is_json_where_a_program_reads(platform: Platform) -> None:
    for service in ("gateway", "storage"):
        lines = (platform.folder / "logs" / f"{service}.log").read_text(encoding="utf-8").splitlines()
        assert lines
        for line in lines:
            assert {"time", "level", "service", "event"} <= set(json.loads(line)), line


def test_on_a_terminal_a_person_reads_the_log(tmp_path: Path) -> None:
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "storage_service"],
        cwd=tmp_path,
        env=os.environ | {"STORAGE_PORT": str(free_ports(1)[0])},
        stderr=terminal,
    )
    os.close(terminal)
    seen = b""
    give_up = time.monotonic() + 60
    try:
        while b"startup complete" not in seen:
            assert time.monotonic() < give_up, seen
            seen += os.read(master, 4096)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        os.close(master)
    first = seen.decode().splitlines()[0]
    assert "storage  info    Started server process" in first
    assert "{" not in first
