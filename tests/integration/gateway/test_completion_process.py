"""Models that are away at upload and come back: two gateways finish every image, each once."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from shared.contracts import ImageRecord
from tests.integration.gateway.processes import running
from tests.live_platform import ROOT, free_ports
from tests.pictures import photo_bytes

IMAGES = 6
COMPLETE_TIMEOUT_S = 120.0
NAMES = ("GATEWAY", "SECOND", "CAPTION", "CLASSIFY", "STORAGE")


class Machines:
    """The services of one installation, started one by one."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._ports = dict(zip(NAMES, free_ports(len(NAMES)), strict=True))
        self._environment = (
            {f"{name}_PORT": str(port) for name, port in self._ports.items()}
            | {f"GATEWAY_{name}_URL": f"http://127.0.0.1:{self._ports[name]}" for name in NAMES[2:]}
            | {"GATEWAY_WEB": str(ROOT / "web")}
        )

    def start(self, package: str, name: str) -> httpx.Client:
        port = self._ports[name]
        folder = self._folder / name.lower()
        folder.mkdir()
        own_port = {f"{package.partition('_')[0].upper()}_PORT": str(port)}
        environment = self._environment | own_port
        return self._stack.enter_context(running(package, folder, environment, f"http://127.0.0.1:{port}"))


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    with ExitStack() as stack:
        yield Machines(tmp_path, stack)


def _record(gateway: httpx.Client, location: str) -> ImageRecord:
    return ImageRecord.model_validate_json(gateway.get(location).content)


def _wait_until_complete(gateway: httpx.Client, locations: list[str]) -> list[ImageRecord]:
    give_up = time.monotonic() + COMPLETE_TIMEOUT_S
    while True:
        records = [_record(gateway, location) for location in locations]
        if all(record.status == "complete" for record in records):
            return records
        assert time.monotonic() < give_up, records
        time.sleep(0.2)


def _done(gateway: httpx.Client) -> float:
    counts = re.findall(r'completion_results_total\{kind="\w+",result="done"\} (\S+)', gateway.get("/metrics").text)
    return sum(map(float, counts))


def test_images_uploaded_without_models_are_complete_once_the_models_are_there(machines: Machines) -> None:
    storage = machines.start("storage_service", "STORAGE")
    gateways = [machines.start("gateway", name) for name in ("GATEWAY", "SECOND")]
    locations = []
    for seed in range(IMAGES):
        response = gateways[0].post("/api/v1/images", files={"file": (f"{seed}.jpg", photo_bytes(seed))})
        assert (response.status_code, response.json()["status"]) == (201, "pending")
        locations.append(response.headers["Location"])

    # A third gateway took some of the work, and died.
    taken = storage.post("/v1/leases", json={"kind": "caption", "limit": 2, "lease_s": 10}).json()["items"]
    assert len(taken) == 2

    caption = machines.start("caption_service", "CAPTION")
    give_up = time.monotonic() + COMPLETE_TIMEOUT_S
    while any(_record(gateways[1], location).caption is None for location in locations):
        assert time.monotonic() < give_up
        time.sleep(0.2)
    assert {_record(gateways[1], location).status for location in locations} == {"pending"}
    machines.start("classify_service", "CLASSIFY")
    records = _wait_until_complete(gateways[1], locations)

    [captioner] = caption.get("/health/ready").json()["models"]
    for location, record in zip(locations, records, strict=True):
        assert record.caption is not None
        assert record.caption.model == f"{captioner['name']}@{captioner['version']}"
        history = gateways[0].get(f"{location}/history").json()["items"]
        assert [item["kind"] for item in history] == ["label", "caption"]
    assert sum(_done(gateway) for gateway in gateways) == 2 * IMAGES
    late = {"failure": {"reason": "back from the dead", "is_of_image": True}}
    assert storage.post(f"/v1/leases/{taken[0]['token']}", json=late).status_code == 409
    assert gateways[0].get(f"{locations[0]}/similar").status_code == 200
