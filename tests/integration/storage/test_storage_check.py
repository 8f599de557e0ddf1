"""The command as a person or a program runs it, beside the real service's database and store."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from shared.contracts import NewImage
from storage_service.checking.command import main
from tests.integration.storage.live_service import environment
from tests.unit.storage.samples import PREVIEW, new_image

CONTENT = b"\xff\xd8 a dog"
TIMEOUT_S = 120


def _check(folder: Path, engine_url: str, *arguments: str, store: str = "store") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(*arguments),
        cwd=folder,
        env=environment(database_url=engine_url, store_url=f"file://{folder}/{store}"),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def _started(folder: Path, engine_url: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        _command(*arguments),
        cwd=folder,
        env=environment(database_url=engine_url, store_url=f"file://{folder}/store"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _command(*arguments: str) -> Sequence[str]:
    return [str(Path(sys.executable).with_name("storage-check")), *arguments]


async def _store(storage: httpx.AsyncClient, new: NewImage, content: bytes) -> str:
    files = {"original": content, "preview": PREVIEW}
    answer = await storage.post("/v1/images", data={"record": new.model_dump_json()}, files=files)
    assert answer.status_code == 201
    return str(answer.json()["id"])


async def test_it_tells_by_its_exit_code_what_a_program_needs(
    storage: httpx.AsyncClient, engine_url: str, folder: Path, tmp_path: Path
) -> None:
    image_id = await _store(storage, new_image(CONTENT), CONTENT)

    clean = _check(tmp_path, engine_url)
    assert (clean.returncode, clean.stderr) == (0, "")
    assert clean.stdout == "1 images and 2 files compared: nothing wrong.\n"

    lost = folder / f"photo/dog--{image_id}.jpg"
    os.rename(lost, folder / f"{image_id}.jpg")
    found = _check(tmp_path, engine_url, "--json", "found.json", "--settle", "0")
    assert found.returncode == 1
    assert f"found wrong_folder: {image_id}.jpg: it belongs at photo/dog--{image_id}.jpg\n" in found.stdout
    told = json.loads((tmp_path / "found.json").read_text())
    assert told["findings"][0]["kind"] == "wrong_folder"
    assert (told["summary"]["rows"], told["summary"]["left"]) == (1, 1)

    repaired = _check(tmp_path, engine_url, "--repair")
    assert repaired.returncode == 0
    assert "1 repaired, 0 left." in repaired.stdout
    assert lost.read_bytes() == CONTENT


async def test_what_keeps_it_from_checking_is_told_in_one_sentence(
    storage: httpx.AsyncClient, engine_url: str, tmp_path: Path
) -> None:
    await _store(storage, new_image(CONTENT), CONTENT)

    no_store = _check(tmp_path, engine_url, store="nowhere")
    no_database = _check(tmp_path, f"sqlite+aiosqlite:///{tmp_path}/none.sqlite3")
    no_place = _check(tmp_path, engine_url, "--json", "nowhere/found.json")

    for refused, why in (
        (no_store, "No such file or directory"),
        (no_database, "there is no database at"),
        (no_place, "No such file or directory: nowhere/found.json"),
    ):
        assert refused.returncode == 2
        assert refused.stderr.startswith("storage-check could not check: ")
        assert why in refused.stderr
        assert refused.stderr.count("\n") == 1
    assert not (tmp_path / "nowhere").exists()
    assert not (tmp_path / "none.sqlite3").exists()


def test_an_old_schema_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.sqlite3").touch()

    refused = _check(tmp_path, f"sqlite+aiosqlite:///{tmp_path}/empty.sqlite3")

    assert refused.returncode == 2
    assert "run storage-migrate" in refused.stderr


@pytest.mark.parametrize("seconds", ["-1", "inf", "soon"])
def test_a_time_that_is_none_is_refused(
    seconds: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["storage-check", "--settle", seconds])

    with pytest.raises(SystemExit) as refused:
        main()

    assert refused.value.code == 2
    assert "argument --settle: " in capsys.readouterr().err


async def test_ctrl_c_ends_it_in_one_sentence(
    storage: httpx.AsyncClient, engine_url: str, folder: Path, tmp_path: Path
) -> None:
    await _store(storage, new_image(CONTENT), CONTENT)
    (folder / "my notes.txt").write_text("looked at a second time after a moment")
    report = tmp_path / "found.json.part"
    with _started(tmp_path, engine_url, "--json", "found.json", "--settle", "0") as checking:
        while not report.exists() and checking.poll() is None:
            await asyncio.sleep(0.01)
        checking.send_signal(signal.SIGINT)
        _, told = checking.communicate(timeout=TIMEOUT_S)

    assert checking.returncode == 2
    assert told == (
        "storage-check could not check: stopped; what it repaired stays repaired, and the same command begins anew\n"
    )
    assert not report.exists()
