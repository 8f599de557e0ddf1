"""Keys with real processes: how they are made and revoked, that nobody logs them, and when a gateway does not start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.keys_command import main
from shared.settings import START_FAILED_EXIT_CODE
from tests.integration.gateway.processes import running
from tests.live_platform import free_ports
from tests.pictures import photo_bytes

SHAPE = re.compile(r"legenda_([0-9a-f]{12})_[0-9a-f]{64}")
ADMIN = "legenda_" + "5" * 12 + "_" + "7" * 64
TOKEN = "internal-" + "8" * 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    (folder / "admin_key").write_text(f"{ADMIN}\n")
    (folder / "token").write_text(f"{TOKEN}\n")
    return folder


@pytest.fixture(scope="module")
def environment(folder: Path) -> dict[str, str]:
    ports = dict(zip(("GATEWAY", "CAPTION", "CLASSIFY", "STORAGE"), free_ports(4), strict=True))
    return {f"{name}_PORT": str(port) for name, port in ports.items()} | {
        **{f"GATEWAY_{name}_URL": f"http://127.0.0.1:{port}" for name, port in ports.items() if name != "GATEWAY"},
        "GATEWAY_ADMIN_KEY_FILE": str(folder / "admin_key"),
        "GATEWAY_KEY_CACHE_S": "0.2",
        "GATEWAY_HOST": "0.0.0.0",
        "GATEWAY_LOG_LEVEL": "debug",
        "STORAGE_LOG_LEVEL": "debug",
        "LEGENDA_INTERNAL_TOKEN_FILE": str(folder / "token"),
    }


@pytest.fixture(scope="module")
def gateway(folder: Path, environment: dict[str, str]) -> Iterator[httpx.Client]:
    with (
        running("storage_service", folder, environment, f"http://127.0.0.1:{environment['STORAGE_PORT']}"),
        running("gateway", folder, environment, f"http://127.0.0.1:{environment['GATEWAY_PORT']}") as client,
    ):
        yield client


def _command(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("gateway-keys"), *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _status(gateway: httpx.Client, key: str) -> int:
    return gateway.get("/api/v1/labels", headers={"Authorization": f"Bearer {key}"}).status_code


def test_a_key_is_printed_once_works_is_listed_and_can_be_revoked_and_nobody_logs_it(
    gateway: httpx.Client, folder: Path, environment: dict[str, str]
) -> None:
    made = _command(folder, environment, "new", "--name", "my laptop", "--scope", "write", "--days", "30")
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    shape = SHAPE.fullmatch(key)
    assert shape
    assert _status(gateway, key) == _status(gateway, ADMIN) == 200
    uploaded = gateway.post(
        "/api/v1/images", files={"file": ("dog.jpg", photo_bytes())}, headers={"Authorization": f"Bearer {key}"}
    )
    assert uploaded.status_code == 201
    assert gateway.post("/api/v1/session", json={"key": key}).status_code == 200
    assert gateway.get("/api/v1/session").json()["name"] == "my laptop"
    gateway.cookies.clear()
    wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
    assert _status(gateway, wrong) == 401
    assert gateway.post("/api/v1/session", json={"key": wrong, "more": 1}).status_code == 422

    listed = _command(folder, environment, "list").stdout
    assert re.search(rf"{shape[1]}  write  until \d{{4}}-\d\d-\d\d .* my laptop\n", listed), listed
    assert not SHAPE.search(listed)

    revoked = _command(folder, environment, "revoke", shape[1])
    assert (revoked.returncode, "my laptop" in revoked.stdout) == (0, True)
    for _ in range(50):
        if _status(gateway, key) == 401:
            break
        time.sleep(0.05)
    assert _status(gateway, key) == 401
    assert "revoked 2" in _command(folder, environment, "list").stdout

    written = [file for file in folder.rglob("*") if file.is_file() and file.name not in {"admin_key", "token"}]
    assert [file for file in written if file.suffix == ".log"]
    for file in written:
        content = file.read_bytes()
        for secret in (key, wrong, ADMIN, TOKEN):
            assert secret.rsplit("_", 1)[-1].encode() not in content, file
    logs = "\n".join(file.read_text() for file in written if file.suffix == ".log")
    assert f'"key_id": "{shape[1]}"' in logs


def test_what_the_command_cannot_do_it_says_in_one_sentence(
    gateway: httpx.Client, folder: Path, environment: dict[str, str]
) -> None:
    unknown = _command(folder, environment, "revoke", "0" * 12)
    assert (unknown.returncode, unknown.stderr.count("\n")) == (1, 1)
    assert "there is no key 000000000000" in unknown.stderr
    away = _command(folder, environment | {"GATEWAY_STORAGE_URL": "http://127.0.0.1:9"}, "list")
    assert (away.returncode, away.stderr) == (1, "gateway-keys: storage cannot be reached; try again shortly\n")
    other = _command(folder, environment | {"LEGENDA_INTERNAL_TOKEN": "o" * 40}, "list")
    assert "give both the same LEGENDA_INTERNAL_TOKEN" in other.stderr


@pytest.mark.parametrize(
    "wrong", [["--name", "", "--scope", "read"], ["--name", "a", "--scope", "all"], ["--name", "a"]]
)
def test_a_key_needs_a_name_and_a_scope(wrong: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["gateway-keys", "new", *wrong])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2


def test_generate_needs_nobody(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["gateway-keys", "generate"])
    made = []
    for _ in range(2):
        main()
        made.append(capsys.readouterr().out)
    assert all(SHAPE.fullmatch(each.strip()) for each in made)
    assert made[0] != made[1]


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_where_others_could_reach_it_without_a_key_the_gateway_does_not_start(tmp_path: Path, host: str) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "gateway"],
        cwd=tmp_path,
        env=os.environ | {"GATEWAY_HOST": host, "GATEWAY_PORT": str(free_ports(1)[0])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert refused.returncode == START_FAILED_EXIT_CODE
    assert f"gateway cannot start: GATEWAY_HOST is {host}" in refused.stderr
    assert "set GATEWAY_KEYS=required" in refused.stderr
    assert "GATEWAY_KEYS=open where something in front" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("keys", ["open", "required"])
def test_with_a_word_that_it_is_meant_it_starts(tmp_path: Path, keys: str) -> None:
    port = free_ports(1)[0]
    environment = {"GATEWAY_HOST": "0.0.0.0", "GATEWAY_PORT": str(port), "GATEWAY_KEYS": keys}
    environment |= {f"GATEWAY_{name}_URL": "http://127.0.0.1:9" for name in ("CAPTION", "CLASSIFY", "STORAGE")}
    with running("gateway", tmp_path, environment, f"http://127.0.0.1:{port}") as client:
        assert client.get("/api/v1/session").status_code == {"open": 200, "required": 401}[keys]
