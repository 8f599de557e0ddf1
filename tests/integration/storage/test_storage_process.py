from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from shared.app import START_FAILED_EXIT_CODE
from storage_service import schema
from tests.live_platform import free_ports

TIMEOUT_S = 120


def _environment(**settings: str) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("STORAGE_")}
    return {**others, **{f"STORAGE_{name.upper()}": value for name, value in settings.items()}}


@contextmanager
def _service(folder: Path, **settings: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "storage_service"],
        cwd=folder,
        env=_environment(**settings),
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _wait_until_ready(port: int) -> None:
    give_up = time.monotonic() + TIMEOUT_S
    while time.monotonic() < give_up:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health/ready", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the service did not get ready")


def test_it_starts_alone_in_an_empty_folder_and_stops_cleanly(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    with _service(tmp_path, port=str(port)) as process:
        _wait_until_ready(port)
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT_S) == 0

    assert (tmp_path / ".data/legenda.sqlite3").is_file()
    assert (tmp_path / ".data/store").is_dir()


def test_two_may_start_at_once_on_a_new_database(tmp_path: Path) -> None:
    ports = free_ports(2)
    with _service(tmp_path, port=str(ports[0])), _service(tmp_path, port=str(ports[1])):
        for port in ports:
            _wait_until_ready(port)


def test_a_store_it_cannot_use_is_told_in_one_sentence(tmp_path: Path) -> None:
    with _service(tmp_path, port=str(free_ports(1)[0]), store_url="ftp://host") as process:
        _, log = process.communicate(timeout=TIMEOUT_S)

    assert process.returncode == START_FAILED_EXIT_CODE
    assert "storage cannot start: STORAGE_STORE_URL must be file:// and a folder, or s3:// and a bucket, not" in log
    assert "ftp://host" in log
    assert "Traceback" not in log


def _migrate(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("storage-migrate")), *arguments]
    return subprocess.run(
        command, cwd=folder, env=_environment(**settings), capture_output=True, text=True, check=False
    )


def test_the_migrate_command_makes_the_schema_and_takes_it_back(tmp_path: Path, bare_url: str) -> None:
    newest = schema.scripts().get_current_head()
    up = _migrate(tmp_path, database_url=bare_url)
    down = _migrate(tmp_path, "--down-to", "base", database_url=bare_url)

    assert (up.returncode, up.stdout, up.stderr) == (0, f"The database has schema {newest}.\n", "")
    assert (down.returncode, down.stdout, down.stderr) == (0, "The database has schema base.\n", "")


def test_the_migrate_command_refuses_other_databases_in_one_sentence(tmp_path: Path) -> None:
    refused = _migrate(tmp_path, database_url="oracle://x")

    assert refused.returncode == 1
    assert refused.stderr.startswith("storage-migrate cannot run: STORAGE_DATABASE_URL must begin with")
