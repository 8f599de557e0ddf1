"""The profile `s3` on a real Docker engine: originals and previews lie in the bucket, and stay there.

Only what keeps images is started: without its models the gateway stores them as pending.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.containers.compose import START_TIMEOUT_S, Stack, built_containers
from tests.containers.seaweed import bucket_image
from tests.pictures import photo_bytes

pytestmark = pytest.mark.timeout(1200)  # the first test builds the images

LISTED = """
import json
from storage_service.image_store import store_at
from storage_service.settings import StorageSettings
settings = StorageSettings()
store = store_at(settings.store_url, access=settings.bucket_access)
print(json.dumps(sorted(file.path for file in store.files())))
"""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    bucket_image()
    settings = {"COMPOSE_PROFILES": "s3", "LEGENDA_STORE_URL": "s3://legenda/images"}
    with built_containers("gateway", "storage-service", **settings) as stack:
        stack.compose("up", "--detach", "--wait", "storage-service", timeout_s=START_TIMEOUT_S)
        stack.compose("up", "--detach", "--no-deps", "gateway", timeout_s=START_TIMEOUT_S)
        yield stack


@pytest.fixture
def client(stack: Stack) -> Iterator[httpx.Client]:
    shown = {"Authorization": f"Bearer {stack.key}"}
    with httpx.Client(base_url=stack.url, headers=shown, timeout=60) as client:
        give_up = time.monotonic() + START_TIMEOUT_S
        while not _answers(client):
            assert time.monotonic() < give_up, stack.compose("logs", "gateway", "storage-service")
            time.sleep(0.5)
        yield client


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/api/v1/labels").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _stored(stack: Stack) -> list[str]:
    return json.loads(stack.python("storage-service", LISTED))


def test_an_image_lies_in_the_bucket_moves_with_its_label_and_goes(stack: Stack, client: httpx.Client) -> None:
    photo = photo_bytes()
    record = client.post("/api/v1/images", files={"file": ("Rex.jpg", photo, "image/jpeg")}).raise_for_status().json()
    path = f"/api/v1/images/{record['id']}"
    before = _stored(stack)
    client.patch(path, json={"label": "my_dogs"}).raise_for_status()
    after = _stored(stack)

    assert f"unclassified/Rex--{record['id']}.jpg" in before
    assert f"my_dogs/Rex--{record['id']}.jpg" in after
    assert len(after) == len(before) == 2  # and its preview
    assert client.get(f"{path}/content").content == photo
    assert stack.python("storage-service", "import os; print(os.listdir('/data/store'))") == "[]"
    client.delete(path).raise_for_status()
    assert _stored(stack) == []


def test_what_is_stored_outlives_the_bucket_servers_container(stack: Stack, client: httpx.Client) -> None:
    photo = photo_bytes()
    record = client.post("/api/v1/images", files={"file": ("Rex.jpg", photo, "image/jpeg")}).raise_for_status().json()
    stack.compose("kill", "--signal", "SIGKILL", "s3")
    stack.compose("up", "--detach", "--wait", "--force-recreate", "--no-deps", "s3", timeout_s=START_TIMEOUT_S)
    content = client.get(f"/api/v1/images/{record['id']}/content")
    give_up = time.monotonic() + START_TIMEOUT_S
    while content.status_code == httpx.codes.SERVICE_UNAVAILABLE and time.monotonic() < give_up:
        time.sleep(1)  # as Retry-After says: the server finds its files a moment after it answers
        content = client.get(f"/api/v1/images/{record['id']}/content")
    assert content.content == photo
    assert stack.compose("run", "--rm", "--no-deps", "s3-bucket") == "The bucket legenda is there.\n"


def test_the_bucket_is_not_published_nor_root_and_asks_for_its_key(stack: Stack) -> None:
    seen = stack.inspect("s3")
    assert not any(bindings for bindings in seen["NetworkSettings"]["Ports"].values())
    assert seen["HostConfig"]["ReadonlyRootfs"]
    assert seen["HostConfig"]["Memory"] > 0
    assert seen["HostConfig"]["LogConfig"]["Config"] == {"max-file": "3", "max-size": "10m"}
    assert "SECRET" not in "".join(seen["Config"]["Env"])
    assert set(seen["NetworkSettings"]["Networks"]) == {f"{stack.project}_bucket"}
    process = stack.compose("exec", "-T", "s3", "cat", "/proc/1/status")
    assert "\nUid:\t1000\t1000\t1000\t1000\n" in process
    assert "\nCapEff:\t0000000000000000\n" in process
    asked = "import httpx; print([httpx.get(f'http://s3:8333/legenda{key}').status_code for key in ('', '/images')])"
    assert stack.python("storage-service", asked) == "[403, 403]"


@pytest.mark.parametrize("port", [8888, 9333, 8080])
def test_what_asks_for_no_key_is_reached_by_nobody(stack: Stack, port: int) -> None:
    code = f"import socket; print(socket.socket().connect_ex(('s3', {port})) != 0)"
    assert stack.python("storage-service", code) == "True"


def test_without_the_setting_the_profile_says_what_to_set(stack: Stack) -> None:
    with pytest.raises(RuntimeError, match=r"s3://legenda/images for example, but not in file:///data/store"):
        stack.compose("run", "--rm", "--no-deps", "-e", "STORAGE_STORE_URL=file:///data/store", "s3-bucket")
