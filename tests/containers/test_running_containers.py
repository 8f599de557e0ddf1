"""All containers on a real Docker engine: what is uploaded at the published port is a row in MySQL."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.containers.compose import Stack, running_containers
from tests.live_platform import ROOT

SERVICES = ("gateway", "caption-service", "classify-service", "storage-service")
WITHOUT_TENSORFLOW = {"gateway": "[]", "storage-service": "['numpy']"}
"""And what of the rest they carry: storage compares vectors."""

pytestmark = pytest.mark.timeout(2400)  # the first test builds the images


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_containers() as stack:
        yield stack


def test_an_uploaded_photo_is_a_row_in_mysql_and_a_file_in_its_label(stack: Stack) -> None:
    photo = ROOT / "web" / "samples" / "rocket.jpg"  # which the model is sure of
    shown = {"Authorization": f"Bearer {stack.key}"}
    response = httpx.post(
        f"{stack.url}/api/v1/images",
        files={"file": (photo.name, photo.read_bytes(), "image/jpeg")},
        headers=shown,
        timeout=60,
    )
    assert response.status_code == 201, response.text
    record = response.json()
    assert (record["status"], record["label"]["value"]) == ("complete", "photo")

    assert _mysql(stack, "SELECT filename, label, status, sha256, LOWER(HEX(id)) FROM images") == [
        [photo.name, "photo", "complete", record["sha256"], record["id"].replace("-", "")]
    ]
    captions = _mysql(stack, "SELECT value FROM analyses WHERE kind = 'caption'")
    assert captions == [[record["caption"]["value"]]]
    assert stack.python("storage-service", "import os; print(os.listdir('/data/store/photo'))") == (
        f"['{photo.stem}--{record['id']}{photo.suffix}']"
    )
    content = httpx.get(f"{stack.url}/api/v1/images/{record['id']}/content", headers=shown, timeout=30).content
    assert content == photo.read_bytes()
    assert "<title>" in httpx.get(stack.url, timeout=30).text


def test_without_a_key_nothing_answers_and_gateway_keys_makes_one_that_does(stack: Stack) -> None:
    assert httpx.get(f"{stack.url}/api/v1/labels", timeout=30).status_code == 401
    key = stack.compose("exec", "-T", "gateway", "gateway-keys", "new", "--name", "test", "--scope", "read").strip()
    shown = {"Authorization": f"Bearer {key}"}
    assert httpx.get(f"{stack.url}/api/v1/labels", headers=shown, timeout=30).status_code == 200
    code = "import httpx; print(httpx.get('http://storage-service:8003/v1/labels').status_code)"
    assert stack.python("gateway", code) == "401"


def test_storage_reaches_mysql_through_asyncmy(stack: Stack) -> None:
    code = "from storage_service.settings import StorageSettings; print(StorageSettings().database_url.split(':')[0])"
    assert stack.python("storage-service", code) == "mysql+asyncmy"
    assert _mysql(stack, "SELECT DISTINCT user FROM information_schema.processlist WHERE db = 'legenda'") == [
        ["legenda"]
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_not_root_and_has_no_compiler_and_no_right_to_change_its_code(stack: Stack, service: str) -> None:
    code = "import os, shutil; print(os.getuid(), os.access('/app', os.W_OK), shutil.which('cc'))"
    assert stack.python(service, code) == "10001 False None"
    process = stack.python(service, "print(open('/proc/1/status').read())")
    assert "\nUid:\t10001\t10001\t10001\t10001\n" in process
    assert "\nCapEff:\t0000000000000000\n" in process


@pytest.mark.parametrize("service", SERVICES)
def test_only_the_model_services_carry_tensorflow(stack: Stack, service: str) -> None:
    code = "import importlib.util as u; print([n for n in ('tensorflow', 'keras', 'numpy', 'cv2') if u.find_spec(n)])"
    found = stack.python(service, code)
    if service in WITHOUT_TENSORFLOW:
        assert found == WITHOUT_TENSORFLOW[service]
    else:
        assert "'tensorflow'" in found


def test_only_the_gateway_is_published_and_only_on_this_machine(stack: Stack) -> None:
    published = {
        service: [
            binding
            for bindings in stack.inspect(service)["NetworkSettings"]["Ports"].values()
            for binding in bindings or []
        ]
        for service in (*SERVICES, "mysql")
    }
    assert published.pop("gateway") == [{"HostIp": "127.0.0.1", "HostPort": str(stack.port)}]
    assert not any(published.values())


def test_everything_that_runs_is_healthy_and_the_migration_is_done(stack: Stack) -> None:
    states = {service: stack.inspect(service)["State"] for service in (*SERVICES, "mysql", "storage-migrate")}
    migration = states.pop("storage-migrate")
    assert (migration["Status"], migration["ExitCode"]) == ("exited", 0)
    assert {service: state["Health"]["Status"] for service, state in states.items()} == dict.fromkeys(states, "healthy")


def test_without_secrets_compose_names_the_file_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_bytes((ROOT / "docker-compose.yml").read_bytes())
    command = ["docker", "compose", "--project-name", f"legenda-test-{uuid4().hex[:8]}"]
    environment = {name: value for name, value in os.environ.items() if name != "LEGENDA_SECRETS"}
    result = subprocess.run(
        [*command, "up", "--detach", "mysql"],
        cwd=tmp_path,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    subprocess.run([*command, "down", "--volumes"], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    assert result.returncode != 0
    assert "secrets/mysql_password" in result.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_cannot_write_its_root_file_system_and_has_limits(stack: Stack, service: str) -> None:
    limits = stack.inspect(service)["HostConfig"]
    assert limits["ReadonlyRootfs"]
    assert limits["Memory"] > 0
    assert limits["PidsLimit"] > 0
    code = (
        "import os, tempfile\n"
        "tempfile.TemporaryFile().write(b'here it may')\n"
        "for folder in ('/', '/app', '/home', '/var/tmp'):\n"
        "    try: open(os.path.join(folder, 'probe'), 'w')\n"
        "    except OSError: continue\n"
        "    print(folder)"
    )
    assert stack.python(service, code) == ""


@pytest.mark.parametrize("profiles", ["", "s3", "monitoring", "s3,monitoring"])
def test_the_file_is_valid_with_every_profile(stack: Stack, profiles: str) -> None:
    chosen = [f"--profile={each}" for each in profiles.split(",") if each]
    services = stack.compose(*chosen, "config", "--services").split()
    assert {"s3" in services, "s3-bucket" in services} == {"s3" in profiles}
    assert ("grafana" in services) == ("monitoring" in profiles)


@pytest.mark.parametrize("gpus", [1, 2, 8])
def test_the_gpu_file_gives_each_gpu_one_caption_service_with_cuda(stack: Stack, gpus: int) -> None:
    both = ("-f", "docker-compose.yml", "-f", "docker-compose.gpu.yml", f"--profile=gpus-{gpus}")
    services = json.loads(stack.compose(*both, "config", "--format", "json"))["services"]
    on_gpu = {name: service for name, service in services.items() if "deploy" in service}
    assert set(on_gpu) == {"classify-service", "caption-service", *(f"caption-service-{n}" for n in range(2, gpus + 1))}
    reserved = []
    for name, service in on_gpu.items():
        (device,) = service["deploy"]["resources"]["reservations"]["devices"]
        assert device["driver"] == "nvidia"
        assert service["build"]["args"]["TENSORFLOW"].startswith("tensorflow[and-cuda]==")
        assert service["read_only"]
        assert service["image"] == f"legenda-{'classify' if name == 'classify-service' else 'caption'}-service:gpu"
        if name != "classify-service":
            reserved += device["device_ids"]
            called = (service["networks"]["services"] or {}).get("aliases", [name])
            assert called == ["caption-service"]
    assert sorted(reserved) == [str(n) for n in range(gpus)]


def test_a_second_gpus_caption_service_is_found_under_the_name_of_the_first(stack: Stack, tmp_path: Path) -> None:
    without_gpu = tmp_path / "without-gpu.yml"
    without_gpu.write_text(
        "services:\n"
        "  caption-service: {image: legenda-caption-service, deploy: !reset null}\n"
        "  classify-service: {image: legenda-classify-service, deploy: !reset null}\n"
        "  caption-service-2: {image: legenda-caption-service, deploy: !reset null}\n"
    )
    files = ("-f", "docker-compose.yml", "-f", "docker-compose.gpu.yml", "-f", str(without_gpu), "--profile=gpus-2")
    try:
        stack.compose(*files, "up", "--detach", "--no-build", "--no-deps", "caption-service-2")
        found = "import socket; print(len({each[4] for each in socket.getaddrinfo('caption-service', 8001)}))"
        assert stack.python("gateway", found) == "2"
    finally:
        stack.compose(*files, "rm", "--force", "--stop", "caption-service-2")


def test_the_gpu_file_hands_on_precision_and_xla(stack: Stack) -> None:
    both = ("-f", "docker-compose.yml", "-f", "docker-compose.gpu.yml")
    chosen = {"CAPTION_PRECISION": "bfloat16", "TF_XLA_FLAGS": "--tf_xla_auto_jit=2"}
    told = replace(stack, settings=chosen).compose(*both, "config", "--format", "json")
    environment = json.loads(told)["services"]["caption-service"]["environment"]
    assert {name: environment[name] for name in chosen} == chosen


@pytest.mark.parametrize("service", SERVICES)
def test_sigterm_stops_a_service_within_its_grace(stack: Stack, service: str) -> None:
    stack.compose("stop", service)
    state = stack.inspect(service)["State"]
    assert (state["Status"], state["ExitCode"]) == ("exited", 0)  # 137 would be SIGKILL, at the end of the grace


def _mysql(stack: Stack, query: str) -> list[list[str]]:
    shell = (
        'MYSQL_PWD="$(cat /run/secrets/mysql_password)" '
        'exec mysql --user=legenda --batch --skip-column-names --execute="$1" legenda'
    )
    answer = stack.compose("exec", "-T", "mysql", "sh", "-c", shell, "sh", query)
    return [line.split("\t") for line in answer.splitlines()]
