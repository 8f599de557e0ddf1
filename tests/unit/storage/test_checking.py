from __future__ import annotations

import asyncio
import io
import itertools
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image as Picture

from shared.contracts import Correction, ImageRecord
from shared.deadline import Deadline
from shared.worker import BoundedWorker
from storage_service.archive import Archive
from storage_service.checking.command import check
from storage_service.checking.findings import Finding, Findings, JsonReport
from storage_service.database import Database
from storage_service.errors import StorageUnavailable
from storage_service.filenames import preview_path
from storage_service.image_store import ImageStore, open_store
from storage_service.uuid7 import uuid7
from tests.unit.storage.buckets import S3Server
from tests.unit.storage.samples import files_below, new_image, upload

Told = dict[str, list[str]]


def _picture(seed: int) -> bytes:
    """A JPEG that is unlike any other's."""
    file = io.BytesIO()
    Picture.new("RGB", (60, 40), (seed * 40 % 256, seed * 90 % 256, seed % 256)).save(file, "JPEG")
    return file.getvalue() + str(seed).encode()


class Platform:
    """An archive, what it stores in, and a check of both."""

    def __init__(self, database: Database, store: ImageStore, archive: Archive) -> None:
        self.database = database
        self.store = store
        self.archive = archive
        self.findings = Findings(lambda _: None)

    async def add(self, seed: int, *, label: str = "photo") -> ImageRecord:
        content = _picture(seed)
        new = new_image(content, filename=f"dog {seed}.jpg", label=label)
        record, _ = await self.archive.add(upload(new, content), deadline=Deadline.after(60))
        return record

    async def path(self, record: ImageRecord) -> str:
        async with self.database.reading() as images:
            return (await images.get(record.id)).path

    async def check(self, *, repair: bool = False, settle_s: float = 0.0, read_all: bool = True) -> Told:
        told: Told = {}

        def tell(finding: Finding) -> None:
            told.setdefault(finding.kind, []).append(finding.path)

        self.findings = Findings(tell)
        await check(self.database, self.store, self.findings, repair=repair, settle_s=settle_s, read_all=read_all)
        return told

    def put(self, path: str, content: bytes) -> None:
        self.store.write(path, io.BytesIO(content))

    def move(self, path: str, second: str) -> None:
        self.store.link(path, second)
        self.store.remove(path)


@pytest.fixture
async def platform(database: Database, store: ImageStore, archive: Archive) -> Platform:
    return Platform(database, store, archive)


@pytest.fixture(params=["folder", "bucket"])
async def either(
    request: pytest.FixtureRequest, database: Database, folder: Path, worker: BoundedWorker
) -> AsyncIterator[Platform]:
    if request.param == "folder":
        store = open_store(f"file://{folder}")
    else:
        server: S3Server = request.getfixturevalue("s3_server")
        store = open_store(f"s3://{server.new_bucket()}/images", access=server.access)
    archive = Archive(database, store, worker)
    yield Platform(database, store, archive)
    await archive.finish()


async def test_all_that_can_be_wrong_is_found_and_what_is_safe_is_repaired(either: Platform) -> None:
    records = [await either.add(seed) for seed in range(8)]
    paths = [await either.path(record) for record in records]
    stranger = uuid7()
    assert await either.check() == {}

    either.store.remove(paths[0])
    either.put(paths[1], b"shorter")
    either.put(paths[2], _picture(2)[:-1] + b"X")
    either.move(paths[3], f"meme/{paths[3].partition('/')[2]}")
    either.store.link(paths[4], f"meme/{paths[4].partition('/')[2]}")
    either.store.remove(preview_path(records[5].id))
    either.put(preview_path(records[6].id), b"")
    either.put(f"photo/cat--{stranger}.jpg", b"meow")
    either.put(preview_path(stranger), b"a small cat")
    either.put("photo/my notes.txt", b"a person's own")
    either.put(".incoming/0123", b"half of")
    wrong = {
        "missing_file": [paths[0]],
        "wrong_hash": sorted(paths[1:3]),
        "wrong_folder": [f"meme/{paths[3].partition('/')[2]}"],
        "spare_copy": [f"meme/{paths[4].partition('/')[2]}"],
        "missing_preview": sorted(preview_path(records[number].id) for number in (5, 6)),
        "orphan_file": sorted([f"photo/cat--{stranger}.jpg", "photo/my notes.txt"]),
        "orphan_preview": [preview_path(stranger)],
        "half_written": [".incoming/0123"],
    }
    before = {file.path: file.size_bytes for file in either.store.files()}

    found = await either.check()
    assert {kind: sorted(where) for kind, where in found.items()} == wrong
    assert {file.path: file.size_bytes for file in either.store.files()} == before

    repaired = await either.check(repair=True)
    assert {kind: sorted(where) for kind, where in repaired.items()} == wrong
    assert either.findings.left == 3

    left = await either.check()
    assert {kind: sorted(where) for kind, where in left.items()} == {
        "missing_file": [paths[0]],
        "wrong_hash": sorted(paths[1:3]),
    }
    assert either.store.read(paths[3]) == _picture(3)
    assert either.store.read(paths[4]) == _picture(4)
    assert either.store.read(f".orphans/photo/cat--{stranger}.jpg") == b"meow"
    assert either.store.read(f".orphans/{preview_path(stranger)}") == b"a small cat"
    assert either.store.read(".orphans/photo/my notes.txt") == b"a person's own"
    with Picture.open(io.BytesIO(either.store.read(preview_path(records[5].id)))) as preview:
        assert (preview.format, preview.size) == ("JPEG", (60, 40))


async def test_without_reading_all_only_lengths_are_compared(platform: Platform) -> None:
    record = await platform.add(1)
    path = await platform.path(record)

    platform.put(path, _picture(1)[:-1] + b"X")
    assert await platform.check(read_all=False) == {}
    platform.put(path, b"shorter")
    assert await platform.check(read_all=False) == {"wrong_hash": [path]}


async def test_a_row_that_names_another_labels_folder_is_refiled(platform: Platform) -> None:
    record = await platform.add(1)
    path = await platform.path(record)
    async with platform.database.writing() as images:
        (await images.get(record.id)).label = "meme"

    assert await platform.check(repair=True) == {"wrong_folder": [path]}
    assert await platform.path(record) == path.replace("photo/", "meme/")
    assert platform.store.read(await platform.path(record)) == _picture(1)
    assert await platform.check() == {}


async def test_a_copy_of_a_damaged_original_is_never_removed(platform: Platform) -> None:
    record = await platform.add(1)
    path = await platform.path(record)
    spare = path.replace("photo/", "meme/")
    platform.store.link(path, spare)
    platform.put(path, b"damaged")

    assert await platform.check(repair=True) == {"spare_copy": [spare], "wrong_hash": [path]}
    assert platform.store.read(spare) == _picture(1)


async def test_other_bytes_under_an_images_name_do_not_take_its_place(platform: Platform) -> None:
    record = await platform.add(1)
    path = await platform.path(record)
    other = path.replace("photo/", "meme/")
    platform.store.remove(path)
    platform.put(other, b"not the dog")

    assert await platform.check(repair=True) == {"orphan_file": [other], "missing_file": [path]}
    assert platform.store.read(other) == b"not the dog"


async def test_what_a_disk_of_macos_gave_another_spelling_is_found_by_its_id(platform: Platform, folder: Path) -> None:
    content = _picture(1)
    new = new_image(content, filename="Zürich.jpg")
    record, _ = await platform.archive.add(upload(new, content), deadline=Deadline.after(60))
    path = await platform.path(record)
    decomposed = path.replace("\u00fc", "u\u0308")
    (folder / path).rename(folder / decomposed)

    assert await platform.check(repair=True) == {"wrong_folder": [decomposed]}
    assert platform.store.read(path) == content


async def test_a_preview_that_cannot_be_made_is_told(platform: Platform) -> None:
    content = b"no picture at all"
    record, _ = await platform.archive.add(upload(new_image(content), content), deadline=Deadline.after(60))
    platform.store.remove(preview_path(record.id))

    assert await platform.check(repair=True) == {"missing_preview": [preview_path(record.id)]}
    assert platform.findings.left == 1


async def test_new_files_without_a_row_are_left_alone(platform: Platform) -> None:
    path = f"photo/cat--{uuid7()}.jpg"
    platform.put(path, b"an upload under way")
    platform.put(".incoming/0123", b"half of")

    assert await platform.check(repair=True, settle_s=60) == {}
    assert platform.findings.too_new == 2
    assert platform.store.read(path) == b"an upload under way"


async def test_names_that_no_encoding_can_write_are_told(platform: Platform, folder: Path, tmp_path: Path) -> None:
    platform.put("photo/dog.jpg", b"woof")
    os.rename(folder / "photo/dog.jpg", os.fsencode(folder / "photo") + b"/\xff\xfe.jpg")

    told = await platform.check()
    assert told == {"orphan_file": [os.fsdecode(b"photo/\xff\xfe.jpg")]}
    with JsonReport(tmp_path / "report.json") as report:
        report.add(Finding("orphan_file", told["orphan_file"][0], None, "no image has this file"))
        report.finish(platform.findings.summary())
    assert json.loads((tmp_path / "report.json").read_text())["findings"][0]["path"] == told["orphan_file"][0]


async def test_nothing_is_found_while_images_come_move_and_go(platform: Platform, folder: Path) -> None:
    done = asyncio.Event()
    seeds = itertools.count()
    finished: list[int] = []

    async def work() -> None:
        while not done.is_set():
            seed = next(seeds)
            record = await platform.add(seed)
            for label in ("meme", "scan"):
                await platform.archive.correct(record.id, Correction(label=label), deadline=Deadline.after(60))
            if seed % 2:
                await platform.archive.delete(record.id, deadline=Deadline.after(60))
            finished.append(seed)

    working = [asyncio.create_task(work()) for _ in range(3)]
    try:
        while len(finished) < 6:
            # Repairs on, as they would be what harms; new files are told from old ones by their age.
            assert await platform.check(repair=True, settle_s=60) == {}
    finally:
        done.set()
        await asyncio.gather(*working)
    assert await platform.check() == {}
    assert not (folder / ".orphans").exists()


async def test_a_store_that_is_away_has_lost_nothing(platform: Platform, folder: Path) -> None:
    await platform.add(1)
    os.rename(folder, folder.with_name("elsewhere"))

    with pytest.raises(StorageUnavailable):
        await platform.check(repair=True)


async def test_files_are_compared_in_steps(platform: Platform, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage_service.checking.files.FILES_A_STEP", 3)
    monkeypatch.setattr("storage_service.checking.rows.ROWS_A_STEP", 2)
    for seed in range(5):
        await platform.add(seed)
    for number in range(7):
        platform.put(f"photo/{number}--{uuid7()}.jpg", b"woof")

    told = await platform.check(repair=True)

    assert {kind: len(paths) for kind, paths in told.items()} == {"orphan_file": 7}
    assert (platform.findings.rows, platform.findings.files) == (5, 17)
    assert len([file for file in files_below(folder) if file.startswith(".orphans/")]) == 7


def test_an_unfinished_report_leaves_no_file(tmp_path: Path) -> None:
    with JsonReport(tmp_path / "report.json") as report:
        report.add(Finding("orphan_file", "photo/a.jpg", uuid7(), "no image has this file"))

    assert list(tmp_path.iterdir()) == []


def test_a_report_has_every_finding_and_the_counts(tmp_path: Path) -> None:
    with JsonReport(tmp_path / "report.json") as report:
        findings = Findings(report.add)
        for number in range(3):
            findings.add(Finding("orphan_file", f"photo/{number}.jpg", None, "…", is_repaired=number > 0))
        report.finish(findings.summary())

    told = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert [finding["path"] for finding in told["findings"]] == ["photo/0.jpg", "photo/1.jpg", "photo/2.jpg"]
    assert told["summary"] == {
        "rows": 0,
        "files": 0,
        "too_new": 0,
        "found": {"orphan_file": 3},
        "repaired": {"orphan_file": 2},
        "left": 1,
    }
