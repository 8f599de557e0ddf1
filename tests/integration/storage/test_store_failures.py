"""A disk that is full or read-only, a bucket that refuses or is silent: the real service says so, and goes on after."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shared.contracts import NewImage
from tests.integration.storage.live_service import TIMEOUT_S, LiveService, live_service
from tests.unit.storage import buckets
from tests.unit.storage.buckets import S3Server
from tests.unit.storage.samples import PREVIEW, files_below, new_image

running_s3_server = buckets.running_s3_server
s3_server = buckets.s3_server

DISK_BYTES = 4 * 1024 * 1024
SMALL, LARGE = b"\xff\xd8 a dog", os.urandom(800_000)
LARGEST = os.urandom(1_500_000)
"""Comes in through a temporary file, which lies on the same disk, as on most machines."""

# A disk of its own for one process, which may change it: Linux lets everybody have that, unless it was forbidden.
OWN_DISKS = ("unshare", "--user", "--map-root-user", "--mount")
MOUNT = f'mount -t tmpfs -o size={DISK_BYTES} tmpfs "$0" && exec "$@"'


def _cannot_mount(folder: Path) -> str | None:
    """Return why there can be no disk for a test, or None."""
    try:
        tried = subprocess.run(
            [*OWN_DISKS, "sh", "-c", MOUNT, str(folder), "true"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        return str(error)
    return tried.stderr.strip() if tried.returncode else None


class SmallDisk:
    """A real file system that only the service sees as its own; the test sees it through /proc."""

    def __init__(self, service: LiveService, place: Path) -> None:
        self._process_id = service.process.pid
        self._place = place
        self.root = Path(f"/proc/{self._process_id}/root{place}")

    def fill(self) -> None:
        with (self.root / "filler").open("wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096):
                    pass
            except OSError:
                pass

    def empty(self) -> None:
        (self.root / "filler").unlink()

    def remount(self, how: str) -> None:
        command = ["nsenter", "--target", str(self._process_id), "--user", "--preserve-credentials", "--mount"]
        subprocess.run([*command, "mount", "-o", f"remount,{how}", str(self._place)], check=True)

    @property
    def files(self) -> list[str]:
        return files_below(self.root / "store")


@pytest.fixture
def disk_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveService]:
    place = tmp_path / "disk"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    if reason := _cannot_mount(place):
        pytest.skip(f"no file system can be mounted here: {reason}")
    within = [*OWN_DISKS, "sh", "-c", MOUNT, str(place)]
    with live_service(tmp_path, within=within, store_url=f"file://{place}/store") as service:
        service.wait_until_ready()
        yield service


@pytest.fixture
def disk(disk_service: LiveService, tmp_path: Path) -> SmallDisk:
    return SmallDisk(disk_service, tmp_path / "disk")


def _store(service: LiveService, new: NewImage, content: bytes) -> httpx.Response:
    return httpx.post(
        f"{service.url}/v1/images",
        data={"record": new.model_dump_json()},
        files={"original": content, "preview": PREVIEW},
        trust_env=False,
        timeout=TIMEOUT_S,
    )


def _call(service: LiveService, method: str, path: str, **body: object) -> httpx.Response:
    return httpx.request(method, f"{service.url}{path}", json=body or None, trust_env=False, timeout=TIMEOUT_S)


def _count(service: LiveService) -> int:
    return sum(label["count"] for label in _call(service, "GET", "/v1/labels").json())


def _assert_refused_for_now(answer: httpx.Response, code: str = "storage_unavailable") -> None:
    assert answer.status_code == 503, answer.text
    assert answer.json()["code"] == code
    assert int(answer.headers["Retry-After"]) > 0


def _wait_for_readiness(service: LiveService, status: int) -> None:
    give_up = time.monotonic() + TIMEOUT_S
    while _call(service, "GET", "/health/ready").status_code != status:
        assert time.monotonic() < give_up, service.log
        time.sleep(0.2)


def test_a_full_disk_refuses_whole_images_and_takes_them_when_there_is_room(
    disk_service: LiveService, disk: SmallDisk
) -> None:
    assert _store(disk_service, new_image(LARGEST), LARGEST).status_code == 201
    largest = _call(disk_service, "GET", "/v1/images").json()["items"][0]["id"]
    assert _call(disk_service, "DELETE", f"/v1/images/{largest}").status_code == 204
    first = _store(disk_service, new_image(SMALL), SMALL).json()["id"]
    disk.fill()

    _assert_refused_for_now(_store(disk_service, new_image(LARGE), LARGE))
    _assert_refused_for_now(_store(disk_service, new_image(LARGEST), LARGEST), "overloaded")
    assert disk.files == [f".previews/{first}.jpg", f"photo/dog--{first}.jpg"]
    assert _count(disk_service) == 1
    assert "No space left on device" in disk_service.log
    assert "Traceback" not in disk_service.log
    assert _call(disk_service, "GET", f"/v1/images/{first}/content").content == SMALL
    assert _call(disk_service, "DELETE", f"/v1/images/{first}").status_code == 204
    assert disk.files == []

    disk.empty()
    assert _store(disk_service, new_image(LARGE), LARGE).status_code == 201


def test_a_read_only_disk_refuses_every_change_and_changes_nothing(disk_service: LiveService, disk: SmallDisk) -> None:
    first = _store(disk_service, new_image(SMALL), SMALL).json()["id"]
    before = disk.files
    disk.remount("ro")

    _assert_refused_for_now(_store(disk_service, new_image(LARGE), LARGE))
    _assert_refused_for_now(_call(disk_service, "PATCH", f"/v1/images/{first}", label="meme"))
    _assert_refused_for_now(_call(disk_service, "DELETE", f"/v1/images/{first}"))
    assert disk.files == before
    assert _call(disk_service, "GET", f"/v1/images/{first}").json()["label"]["value"] == "photo"
    assert _call(disk_service, "GET", f"/v1/images/{first}/content").content == SMALL
    assert "Read-only file system" in disk_service.log
    assert "Traceback" not in disk_service.log
    _wait_for_readiness(disk_service, 503)

    disk.remount("rw")
    _wait_for_readiness(disk_service, 200)
    assert _store(disk_service, new_image(LARGE), LARGE).status_code == 201
    assert _call(disk_service, "PATCH", f"/v1/images/{first}", label="meme").json()["label"]["value"] == "meme"


def test_a_bucket_that_is_not_there_refuses_or_is_silent_is_waited_for(s3_server: S3Server, tmp_path: Path) -> None:
    settings = {
        "s3_endpoint_url": s3_server.url,
        "s3_access_key_id": s3_server.access.access_key_id,
        "s3_secret_access_key": s3_server.access.secret_access_key,
        "s3_timeout_s": "1",
    }
    with live_service(tmp_path, store_url="s3://comes-later/images", **settings) as service:
        service.wait_until_answering()
        _assert_refused_for_now(_store(service, new_image(SMALL), SMALL))
        assert _call(service, "GET", "/health/ready").json()["degraded"] == ["store"]

        s3_server.make("comes-later")
        service.wait_until_ready()
        first = _store(service, new_image(SMALL), SMALL).json()["id"]
        assert _call(service, "PATCH", f"/v1/images/{first}", label="meme").status_code == 200

        s3_server.refuse()
        _assert_refused_for_now(_store(service, new_image(LARGE), LARGE))
        _assert_refused_for_now(_call(service, "PATCH", f"/v1/images/{first}", label="photo"))
        _assert_refused_for_now(_call(service, "GET", f"/v1/images/{first}/content"))
        s3_server.admit()

        s3_server.stall()
        _assert_refused_for_now(_store(service, new_image(LARGE), LARGE))
        s3_server.go_on()

        assert _store(service, new_image(LARGE), LARGE).status_code == 201
        assert _call(service, "GET", f"/v1/images/{first}/content").content == SMALL
        assert _call(service, "DELETE", f"/v1/images/{first}").status_code == 204
        assert _count(service) == 1
    assert "store_failed" in service.log
    assert s3_server.access.secret_access_key not in service.log
    assert "Traceback" not in service.log
