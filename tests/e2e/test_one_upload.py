"""One upload, end to end: real processes, real models, a real photo."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.live_platform import Platform, free_ports, launch, platform_environment


@pytest.fixture
def client(platform: Platform) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=platform.url, timeout=60) as client:
        yield client


def _upload(client: httpx.Client, photo: Path) -> httpx.Response:
    return client.post("/api/v1/images", files={"file": (photo.name, photo.read_bytes(), "image/jpeg")})


def test_a_photo_gets_a_sentence_and_its_best_label_is_photo_and_is_found_by_a_word(
    client: httpx.Client, platform: Platform, photo: Path
) -> None:
    response = _upload(client, photo)
    record = response.json()

    assert response.status_code in {200, 201}  # the browser tests may have uploaded it before
    assert record["status"] == "complete"
    label = record["label"]
    assert label["value"] in {"photo", "unclassified"}  # it is near the threshold
    best = record["labels"][0]
    assert best["value"] == "photo"
    assert best["confidence"] > 0.5
    words = record["caption"]["value"].split()
    assert len(words) >= 4
    assert {"cat", "dog", "animal"} & set(words), record["caption"]["value"]

    files = list((platform.store / label["value"]).glob(f"chelsea--{record['id']}*.jpg"))
    assert [file.read_bytes() for file in files] == [photo.read_bytes()]

    found = client.get("/api/v1/images", params={"q": max(words, key=len)}).json()["items"]
    assert record["id"] in {item["id"] for item in found}


def test_the_same_photo_again_is_known(client: httpx.Client, photo: Path) -> None:
    first, again = _upload(client, photo), _upload(client, photo)
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])


def test_different_photos_get_different_captions(client: httpx.Client, photo: Path) -> None:
    captions = {_upload(client, file).json()["caption"]["value"] for file in photo.parent.glob("*.jpg")}
    assert len(captions) == 3


def test_every_service_is_ready_with_its_version(platform: Platform) -> None:
    for service, url in platform.service_urls.items():
        health = httpx.get(f"{url}/health/ready", timeout=10).json()
        assert (health["status"], health["service"]) == ("ready", service)
        assert httpx.get(f"{url}/docs", timeout=10).status_code == 200
        assert "http_requests_total" in httpx.get(f"{url}/metrics", timeout=10).text


def test_a_service_that_is_killed_is_started_again_and_the_upload_meanwhile_is_kept(
    client: httpx.Client, platform: Platform, photo: Path
) -> None:
    _process_of(platform, "caption_service").kill()

    response = client.post("/api/v1/images", files={"file": ("b.jpg", photo.read_bytes() + os.urandom(8))})
    assert response.status_code == 201
    assert response.json()["status"] in {"pending", "complete"}

    give_up = time.monotonic() + 120
    while not _is_ready(platform.service_urls["caption"]):
        assert time.monotonic() < give_up, "caption-service did not come back"
        time.sleep(0.3)
    client.delete(response.headers["Location"]).raise_for_status()


def test_a_taken_port_is_said_in_one_sentence(platform: Platform, tmp_path: Path) -> None:
    ports = dict(zip(("caption", "classify", "storage"), free_ports(3), strict=True))
    taken = {"gateway": int(platform.url.rsplit(":", 1)[1])}
    process = launch(tmp_path, platform_environment(tmp_path, ports | taken))
    assert process.wait(60) == 1
    output = (tmp_path / "output.txt").read_text()
    assert f"port {taken['gateway']} is taken" in output
    assert "GATEWAY_PORT" in output
    assert "Traceback" not in output


def test_a_broken_artifact_is_said_in_one_sentence(tmp_path: Path) -> None:
    ports = dict(zip(("gateway", "caption", "classify", "storage"), free_ports(4), strict=True))
    broken = tmp_path / "model"
    broken.mkdir()
    process = launch(tmp_path, platform_environment(tmp_path, ports) | {"CAPTION_MODEL": str(broken)})
    assert process.wait(120) == 1
    output = (tmp_path / "output.txt").read_text()
    assert "is not a model: it has no manifest.json" in output
    assert "Traceback" not in output


def test_ctrl_c_stops_everything_with_exit_code_0(tmp_path: Path) -> None:
    ports = dict(zip(("gateway", "caption", "classify", "storage"), free_ports(4), strict=True))
    process = launch(tmp_path, platform_environment(tmp_path, ports))
    give_up = time.monotonic() + 60
    while not _is_ready(f"http://127.0.0.1:{ports['storage']}"):
        assert time.monotonic() < give_up
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert not any(_is_ready(f"http://127.0.0.1:{port}") for port in ports.values())


def _process_of(platform: Platform, package: str) -> psutil.Process:
    processes = psutil.Process(platform.process.pid).children(recursive=True)
    return next(process for process in processes if process.cmdline()[-1:] == [package])


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=2).is_success
    except httpx.HTTPError:
        return False
