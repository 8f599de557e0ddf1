"""`storage-import` as a person runs it, beside the running service, and its round trip with an export."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.pictures import drawn_picture, encoded, photo_bytes
from tests.unit.storage.samples import files_below

COMMAND = Path(sys.executable).with_name("storage-import")
TIMEOUT_S = 120

Import = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(engine_url: str, folder: Path) -> dict[str, str]:
    return os.environ | {
        "STORAGE_DATABASE_URL": engine_url,
        "STORAGE_STORE_URL": f"file://{folder}",
        "STORAGE_INDEX_DIR": str(folder.parent / "index"),
        "STORAGE_BODY_LIMIT_BYTES": "100000",
    }


@pytest.fixture
def run_import(environment: dict[str, str], tmp_path: Path) -> Import:
    place = tmp_path / "run"
    place.mkdir()

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *map(str, arguments)],
            cwd=place,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    return run


def _fill(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder


async def _records(storage: httpx.AsyncClient) -> dict[str, dict]:
    items = (await storage.get("/v1/images", params={"limit": 200})).json()["items"]
    return {item["filename"]: item for item in items}


def _contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in files_below(folder)}


async def test_a_folder_comes_in_as_pending_work_with_previews_and_is_not_changed(
    storage: httpx.AsyncClient, run_import: Import, tmp_path: Path
) -> None:
    turned = encoded(drawn_picture(300, 200), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0")
    source = _fill(tmp_path / "in", {"a.jpg": turned, "deep/er/b.png": encoded(drawn_picture(), "PNG")})
    before = _contents(source)

    done = run_import(source)

    assert (done.returncode, done.stdout) == (0, "2 images imported, 0 there already.\n")
    records = await _records(storage)
    assert {name: (one["status"], one["width"], one["media_type"]) for name, one in records.items()} == {
        "a.jpg": ("pending", 200, "image/jpeg"),
        "b.png": ("pending", 64, "image/png"),
    }
    preview = await storage.get(f"/v1/images/{records['a.jpg']['id']}/preview")
    assert preview.headers["content-type"] == "image/jpeg"
    work = (await storage.get("/v1/work")).json()["items"]
    assert {item["kind"]: item["missing"] for item in work} == {"caption": 2, "label": 2}
    assert _contents(source) == before


async def test_label_folders_are_a_persons_labels(
    storage: httpx.AsyncClient, run_import: Import, tmp_path: Path
) -> None:
    files = {
        "dog/1.jpg": photo_bytes(1),
        "Ferien Rom/2024/2.jpg": photo_bytes(2),
        "unclassified/3.jpg": photo_bytes(3),
        "4.jpg": photo_bytes(4),
        "日本/5.jpg": photo_bytes(5),
    }
    done = run_import("--labels", _fill(tmp_path / "in", files))

    assert done.returncode == 2
    assert "1 file was refused" in done.stdout
    labels = {name: (one["label"]["value"], one["label"]["source"]) for name, one in (await _records(storage)).items()}
    assert labels == {
        "1.jpg": ("dog", "person"),
        "2.jpg": ("ferien_rom", "person"),
        "3.jpg": ("unclassified", "model"),
        "4.jpg": ("unclassified", "model"),
    }
    assert (await storage.get("/v1/labels")).json()[0]["count"] == 2


async def test_labels_can_be_given_afterwards_but_never_over_a_persons(
    storage: httpx.AsyncClient, run_import: Import, tmp_path: Path
) -> None:
    source = _fill(tmp_path / "in", {"dog/1.jpg": photo_bytes(1), "cat/2.jpg": photo_bytes(2)})
    first = run_import(source)
    assert "run it again with --labels" in first.stdout
    corrected = (await _records(storage))["2.jpg"]["id"]
    await storage.patch(f"/v1/images/{corrected}", json={"label": "tiger"})

    again = run_import("--labels", source)

    assert again.stdout == "0 images imported, 1 there already, 1 there already that got their label.\n"
    labels = {name: one["label"]["value"] for name, one in (await _records(storage)).items()}
    assert labels == {"1.jpg": "dog", "2.jpg": "tiger"}


async def test_what_is_refused_stands_in_the_report_with_its_reason(
    storage: httpx.AsyncClient, run_import: Import, tmp_path: Path
) -> None:
    files = {
        "good.jpg": photo_bytes(),
        "same bytes.jpg": photo_bytes(),
        "text.jpg": b"Dear Ada",
        "empty.jpg": b"",
        "broken.png": encoded(drawn_picture(300, 300), "PNG")[:200],
        "large.bmp": encoded(drawn_picture(300, 300), "BMP"),
        ".hidden.jpg": photo_bytes(9),
        "good.jpg.xmp": b"<x/>",
        "Thumbs.db": b"x",
    }
    source = _fill(tmp_path / "in", files)
    (source / "link.jpg").symlink_to(source / "good.jpg")

    done = run_import("--report", tmp_path / "refused.csv", source)

    assert done.returncode == 2
    assert done.stdout.startswith("1 images imported, 1 there already.\n")
    with (tmp_path / "refused.csv").open(encoding="utf-8", newline="") as report:
        reasons = {Path(row["file"]).name: row["reason"] for row in csv.DictReader(report)}
    assert set(reasons) == {"text.jpg", "empty.jpg", "broken.png", "large.bmp", "link.jpg"}
    assert "not an image we read" in reasons["text.jpg"]
    assert "damaged" in reasons["broken.png"]
    assert "larger than" in reasons["large.bmp"]
    assert len(await _records(storage)) == 1


def test_a_dry_run_writes_nothing(
    run_import: Import, environment: dict[str, str], tmp_path: Path, folder: Path
) -> None:
    environment["STORAGE_DATABASE_URL"] = f"sqlite+aiosqlite:///{tmp_path}/none/yet.sqlite3"
    source = _fill(tmp_path / "in", {"1.jpg": photo_bytes(1), "2.jpg": photo_bytes(1), "text.jpg": b"Dear Ada"})
    before = files_below(tmp_path)

    done = run_import("--dry-run", source)

    assert done.returncode == 2
    assert "1 images would be imported, 1 there already" in done.stdout
    assert files_below(tmp_path) == before
    assert not folder.exists()


def test_what_cannot_be_is_told_in_one_sentence(run_import: Import, tmp_path: Path) -> None:
    nowhere = run_import(tmp_path / "nowhere")
    inside = run_import("--report", tmp_path / "in" / "report.csv", _fill(tmp_path / "in", {"1.jpg": photo_bytes()}))
    for told, words in ((nowhere, "there is no folder"), (inside, "nothing is written into")):
        assert told.returncode == 1
        assert told.stderr.startswith("storage-import cannot go on: ")
        assert words in told.stderr
        assert len(told.stderr.splitlines()) == 1


async def test_a_stopped_import_goes_on_with_the_same_command(
    storage: httpx.AsyncClient, environment: dict[str, str], run_import: Import, tmp_path: Path, folder: Path
) -> None:
    files = {f"{at}.png": encoded(drawn_picture(100 + at, 100), "PNG") for at in range(60)}
    source = _fill(tmp_path / "in", files)
    process = await asyncio.create_subprocess_exec(
        COMMAND, source, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    while not await _records(storage):
        assert process.returncode is None
    process.send_signal(signal.SIGINT)
    _, errors = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
    told = errors.decode()

    assert process.returncode == 1
    assert told.splitlines()[-1] == "storage-import: stopped; the same command goes on"
    assert "Traceback" not in told
    there = len(await _records(storage))
    assert 0 < there < 60

    done = run_import(source)

    assert done.stdout == f"{60 - there} images imported, {there} there already.\n"
    assert len(await _records(storage)) == 60
    assert len(files_below(folder)) == 120  # originals and previews, and nothing half-written


async def test_what_was_imported_is_exported_and_the_export_imports_to_the_same(
    storage: httpx.AsyncClient, run_import: Import, environment: dict[str, str], tmp_path: Path
) -> None:
    files = {
        "dog/Größe 🐕‍🦺.jpg": photo_bytes(1),
        "dog/same.jpg": photo_bytes(2),
        "dog/old/same.jpg": photo_bytes(3),
        "cat/same.jpg": photo_bytes(4),
        "cat/=1+1.png": encoded(drawn_picture(), "PNG"),
        "unclassified/what.jpg": photo_bytes(5),
    }
    assert run_import("--labels", _fill(tmp_path / "in", files)).returncode == 0
    records = await _records(storage)
    await storage.patch(f"/v1/images/{records['=1+1.png']['id']}", json={"caption": '-1 "cat", Köln 🐈'})

    first = zipfile.ZipFile(io.BytesIO((await storage.get("/v1/export?sidecars=xmp")).content))
    pictures = {name: first.read(name) for name in first.namelist() if name.endswith((".jpg", ".png"))}
    assert {_label_and_hash(name, content) for name, content in pictures.items()} == {
        _label_and_hash(name, content) for name, content in files.items()
    }
    assert {"dog/Größe 🐕‍🦺.jpg", "cat/same.jpg", "cat/=1+1.png"} < set(pictures)
    first.extractall(tmp_path / "out")

    for record in records.values():
        assert (await storage.delete(f"/v1/images/{record['id']}")).status_code == 204
    assert run_import("--labels", tmp_path / "out").returncode == 0
    second = zipfile.ZipFile(io.BytesIO((await storage.get("/v1/export")).content))

    assert {name.partition("--")[0] for name in pictures} == {
        name.partition("--")[0] for name in second.namelist()[:-1]
    }
    assert {_label_and_hash(name, second.read(name)) for name in second.namelist()[:-1]} == {
        _label_and_hash(name, content) for name, content in files.items()
    }
    after = await _records(storage)
    assert set(after) == set(records)
    assert after["=1+1.png"]["caption"] == {
        "value": '-1 "cat", Köln 🐈',
        "confidence": None,
        "source": "person",
        "model": None,
    }


async def test_a_table_of_another_kind_is_passed_over_in_one_line(
    storage: httpx.AsyncClient, run_import: Import, tmp_path: Path
) -> None:
    done = run_import(_fill(tmp_path / "in", {"captions.csv": b"a;b\n1;2\n", "1.jpg": photo_bytes()}))
    assert done.returncode == 0
    assert "captions.csv is passed over, it is not an export's: it has no column" in done.stderr
    assert set(await _records(storage)) == {"1.jpg"}


def _label_and_hash(name: str, content: bytes) -> tuple[str, str]:
    return name.split("/", maxsplit=1)[0], hashlib.sha256(content).hexdigest()
