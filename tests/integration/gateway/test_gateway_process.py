"""The gateway as a process, over real HTTP: alone, and with the real storage and no models."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shared.app import START_FAILED_EXIT_CODE
from tests.integration.gateway.processes import running
from tests.live_platform import free_ports
from tests.odd_files import refusals
from tests.pictures import photo_bytes

REFUSED = refusals()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "temporary").mkdir()
    return folder


@pytest.fixture(scope="module")
def gateway(folder: Path) -> Iterator[httpx.Client]:
    """A gateway with a real storage behind it, and nobody where the models should be."""
    ports = dict(zip(("GATEWAY", "CAPTION", "CLASSIFY", "STORAGE"), free_ports(4), strict=True))
    environment = {f"{name}_PORT": str(port) for name, port in ports.items()} | {
        f"GATEWAY_{name}_URL": f"http://127.0.0.1:{port}" for name, port in ports.items() if name != "GATEWAY"
    }
    environment["TMPDIR"] = str(folder / "temporary")
    with (
        running("storage_service", folder, environment, f"http://127.0.0.1:{ports['STORAGE']}"),
        running("gateway", folder, environment, f"http://127.0.0.1:{ports['GATEWAY']}") as client,
    ):
        yield client


def _traces(folder: Path) -> tuple[list[int], list[str]]:
    with sqlite3.connect(folder / ".data" / "legenda.sqlite3") as database:
        rows = [database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("images", "analyses")]
    database.close()
    places = (folder / ".data" / "store", folder / "temporary")
    return rows, sorted(str(file) for place in places for file in place.rglob("*") if file.is_file())


def test_without_models_an_upload_is_kept_as_pending(gateway: httpx.Client, folder: Path) -> None:
    before = _traces(folder)
    response = gateway.post("/api/v1/images", files={"file": ("dog.jpg", photo_bytes())})
    record = response.json()
    assert (response.status_code, record["status"], record["caption"]) == (201, "pending", None)
    assert gateway.get("/api/v1/images", params={"status": "pending"}).json()["items"] == [record]
    assert gateway.get(f"{response.headers['Location']}/content").content == photo_bytes()
    assert gateway.delete(response.headers["Location"]).status_code == 204
    assert _traces(folder) == before


def test_a_try_out_says_which_model_is_away(gateway: httpx.Client) -> None:
    response = gateway.post("/api/v1/analyses", files={"file": ("dog.jpg", photo_bytes())})
    assert (response.status_code, response.json()["code"]) == (503, "upstream_unavailable")
    assert "cannot be reached" in response.json()["detail"]


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_file_leaves_no_row_no_file_and_nothing_temporary(
    gateway: httpx.Client, folder: Path, name: str
) -> None:
    refusal = REFUSED[name]
    before = _traces(folder)
    files = [refusal.file]
    if refusal.file and refusal.status == 415:
        files.append(refusal.file + bytes(2_000_000))  # more than a form keeps in memory
    for file in files:
        response = gateway.post("/api/v1/images", files={"file": ("photo.jpg", file)})
        assert (response.status_code, response.json()["code"]) == (refusal.status, refusal.code)
    assert _traces(folder) == before


def test_it_is_not_ready_before_all_behind_it_were_and_names_who_is_missing(gateway: httpx.Client) -> None:
    give_up = time.monotonic() + 20
    while (answer := gateway.get("/health/ready")).json()["degraded"] != ["caption", "classify"]:
        assert time.monotonic() < give_up, answer.text
        time.sleep(0.1)
    assert (answer.status_code, answer.json()["status"]) == (503, "starting")


def test_the_page_and_the_docs_are_there_all_the_same(gateway: httpx.Client) -> None:
    assert "<title>" in gateway.get("/").text
    assert gateway.get("/docs").status_code == 200


def test_without_storage_every_call_is_a_problem_that_says_so(tmp_path: Path) -> None:
    port, nobody = free_ports(2)
    environment = {"GATEWAY_PORT": str(port)} | {
        f"GATEWAY_{name}_URL": f"http://127.0.0.1:{nobody}" for name in ("CAPTION", "CLASSIFY", "STORAGE")
    }
    with running("gateway", tmp_path, environment, f"http://127.0.0.1:{port}") as alone:
        answers = [
            alone.get("/api/v1/images"),
            alone.get("/api/v1/labels"),
            alone.post("/api/v1/images", files={"file": ("dog.jpg", photo_bytes())}),
        ]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "upstream_unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
        assert "storage cannot be reached" in answer.json()["detail"]


def test_a_taken_port_is_told_in_one_sentence(gateway: httpx.Client, tmp_path: Path) -> None:
    taken = str(gateway.base_url.port)
    refused = subprocess.run(
        [sys.executable, "-m", "gateway"],
        cwd=tmp_path,
        env=os.environ | {"GATEWAY_PORT": taken},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == START_FAILED_EXIT_CODE
    assert refused.stderr == f"gateway cannot listen on 127.0.0.1:{taken}: Address already in use.\n"
