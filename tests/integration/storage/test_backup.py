"""The README's own commands for a backup, run while images come and move, and what is restored from it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from tests.integration.storage.live_service import TIMEOUT_S, environment, live_service
from tests.live_platform import ROOT
from tests.unit.storage.samples import PREVIEW, new_image

README = ROOT / "storage-service" / "README.md"


def _commands(title: str) -> str:
    """Return the README's commands under a line, as a shell would get them."""
    text = README.read_text(encoding="utf-8")
    block = text.partition(f"{title}\n\n```console\n")[2].partition("```")[0]
    assert block, f"the README has no commands under {title!r}"
    return re.sub(r"^\$ ", "", block, flags=re.MULTILINE)


def _run(folder: Path, commands: str, **settings: str) -> str:
    python = str(Path(sys.executable).parent)
    done = subprocess.run(
        ["sh", "-c", commands],
        cwd=folder,
        env=environment(**settings) | {"PATH": f"{python}:{os.environ['PATH']}", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=2 * TIMEOUT_S,
        check=False,
    )
    return done.stdout + done.stderr


def _store(client: httpx.Client, number: int) -> str:
    content = f"a dog, number {number}".encode() * 50
    files = {"original": content, "preview": PREVIEW}
    answer = client.post("/v1/images", data={"record": new_image(content).model_dump_json()}, files=files)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _back_up_at_work(folder: Path, commands: str, **settings: str) -> list[str]:
    """Run the commands while images come and move, then lose all but the backup; return the images from before it."""
    with live_service(folder, **settings) as service:
        service.wait_until_ready()
        with httpx.Client(base_url=service.url, trust_env=False, timeout=TIMEOUT_S) as client:
            before = [_store(client, number) for number in range(12)]
            with ThreadPoolExecutor(1) as threads:
                backup = threads.submit(_run, folder, commands)
                number = 100
                while not backup.done():
                    _store(client, number)
                    label = ("meme", "scan")[number % 2]
                    client.patch(f"/v1/images/{before[number % 12]}", json={"label": label}).raise_for_status()
                    number += 1
            assert "rror" not in backup.result(), backup.result()
        service.process.kill()
        service.process.wait(TIMEOUT_S)
    shutil.rmtree(folder / ".data")
    return before


def _restore(folder: Path, commands: str, before: list[str], **settings: str) -> None:
    """Run the commands, and see that all is there."""
    told = _run(folder, commands, **settings)

    assert " 0 left." in told or "nothing wrong." in told, told
    told = _run(folder, "storage-check", **settings)
    assert "compared: nothing wrong." in told, told
    assert not told.startswith("0 images"), told
    with live_service(folder, **settings) as restored:
        restored.wait_until_ready()
        for image_id in before:
            url = f"{restored.url}/v1/images/{image_id}/content"
            assert httpx.get(url, trust_env=False, timeout=TIMEOUT_S).content.startswith(b"a dog, number ")


def test_what_is_backed_up_at_work_is_restored_whole(tmp_path: Path) -> None:
    before = _back_up_at_work(tmp_path, _commands("Backup, while the service works:"))

    _restore(tmp_path, _commands("Restore, while the service is stopped:"), before)


def test_what_is_dumped_from_mysql_at_work_is_restored_whole_into_another_database(
    mysql_url: str, bare_mysql_url: str, tmp_path: Path
) -> None:
    for program in ("mysqldump", "mysql"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} on the PATH; mariadb-client has one, and so has MySQL's own client")
    old, new = make_url(mysql_url), make_url(bare_mysql_url)
    access = {"host": old.host, "port": old.port, "user": old.username, "password": old.password}
    options = "".join(f"{name}={value}\n" for name, value in access.items())
    (tmp_path / ".my.cnf").write_text(f"[client]\n{options}", encoding="utf-8")
    dump, load = (_commands(f"{title} on MySQL:") for title in ("Backup", "Restore"))

    before = _back_up_at_work(tmp_path, dump.replace(" legenda ", f" {old.database} "), database_url=mysql_url)

    _restore(tmp_path, load.replace(" legenda ", f" {new.database} "), before, database_url=bare_mysql_url)
