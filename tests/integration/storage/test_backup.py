"""The README's own commands for a backup, run while images come and move, and what is restored from it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.integration.storage.live_service import TIMEOUT_S, LiveService, environment, live_service
from tests.live_platform import ROOT
from tests.unit.storage.samples import PREVIEW, new_image

README = ROOT / "storage-service" / "README.md"


def _commands(title: str) -> str:
    """Return the README's commands under a line, as a shell would get them."""
    text = README.read_text(encoding="utf-8")
    block = text.partition(f"{title}\n\n```console\n")[2].partition("```")[0]
    assert block, f"the README has no commands under {title!r}"
    return re.sub(r"^\$ ", "", block, flags=re.MULTILINE)


def _run(folder: Path, commands: str) -> str:
    python = str(Path(sys.executable).parent)
    done = subprocess.run(
        ["sh", "-c", commands],
        cwd=folder,
        env=environment() | {"PATH": f"{python}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=2 * TIMEOUT_S,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.fixture
def service(tmp_path: Path) -> Iterator[LiveService]:
    with live_service(tmp_path) as service:
        service.wait_until_ready()
        yield service


def _store(client: httpx.Client, number: int) -> str:
    content = f"a dog, number {number}".encode() * 50
    files = {"original": content, "preview": PREVIEW}
    answer = client.post("/v1/images", data={"record": new_image(content).model_dump_json()}, files=files)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_what_is_backed_up_at_work_is_restored_whole(service: LiveService, tmp_path: Path) -> None:
    with httpx.Client(base_url=service.url, trust_env=False, timeout=TIMEOUT_S) as client:
        before = [_store(client, number) for number in range(12)]
        with ThreadPoolExecutor(1) as threads:
            backup = threads.submit(_run, tmp_path, _commands("Backup, while the service works:"))
            number = 100
            while not backup.done():
                _store(client, number)
                label = ("meme", "scan")[number % 2]
                client.patch(f"/v1/images/{before[number % 12]}", json={"label": label}).raise_for_status()
                number += 1
        assert "Error" not in backup.result(), backup.result()
    service.process.kill()
    service.process.wait(TIMEOUT_S)
    shutil.rmtree(tmp_path / ".data")

    told = _run(tmp_path, _commands("Restore, while the service is stopped:"))

    assert " 0 left." in told or "nothing wrong." in told, told
    assert "compared: nothing wrong." in _run(tmp_path, "storage-check")
    with live_service(tmp_path) as restored:
        restored.wait_until_ready()
        for image_id in before:
            url = f"{restored.url}/v1/images/{image_id}/content"
            assert httpx.get(url, trust_env=False, timeout=TIMEOUT_S).content.startswith(b"a dog, number ")
