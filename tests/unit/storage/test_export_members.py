"""The files of an export: their names, images that move meanwhile, and archives beyond ZIP's first limits."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import pytest
from stream_zip import stream_zip

from shared.contracts import Correction
from shared.errors import NotFound, ServiceError
from storage_service import lineage
from storage_service.captions_table import CaptionsTable, read_rows
from storage_service.errors import ImageFileMissing, StorageUnavailable
from storage_service.export_members import ExportMembers, Filed
from storage_service.export_names import ExportedNames, without_id
from storage_service.new_images import image_of
from tests.unit.storage.samples import new_image


class Shelf:
    """Images and their files in memory; what has moved is found at its new place only."""

    def __init__(self, *images: Filed) -> None:
        self.listed = list(images)
        self.now = {filed.record.id: filed for filed in images}
        self.files = {filed.path: filed.record.filename.encode() for filed in images}
        self.failure: ServiceError | None = None

    def images(self) -> Iterator[Filed]:
        yield from self.listed
        if self.failure:
            raise self.failure

    def image(self, image_id: UUID) -> Filed:
        if image_id not in self.now:
            raise NotFound("it was deleted")
        return self.now[image_id]

    def open(self, path: str) -> BinaryIO:
        if path not in self.files:
            raise ImageFileMissing(path)
        return io.BytesIO(self.files[path])


def _filed(filename: str, *, label: str = "photo", media_type: str = "image/jpeg") -> Filed:
    new = new_image(filename.encode(), filename=filename, label=label)
    image = image_of(new.model_copy(update={"media_type": media_type}), size_bytes=1)
    return Filed(lineage.record_of(image), image.path)


def _zip(shelf: Shelf) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(stream_zip(iter(ExportMembers(shelf, None))))))
    assert archive.testzip() is None
    return archive


def _rows(archive: zipfile.ZipFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read("captions.csv").decode(), newline="")))


def test_an_image_that_moves_before_its_turn_is_exported_where_it_is_then() -> None:
    first, second = _filed("a.jpg"), _filed("b.jpg")
    shelf = Shelf(first, second)
    there = _filed("b.jpg", label="cat")
    shelf.now[second.record.id] = Filed(there.record.model_copy(update={"id": second.record.id}), there.path)
    shelf.files[there.path] = shelf.files.pop(second.path)

    assert _zip(shelf).namelist() == ["photo/a.jpg", "cat/b.jpg", "captions.csv"]


def test_an_image_that_is_deleted_before_its_turn_is_left_out_and_named() -> None:
    first, second = _filed("a.jpg"), _filed("b.jpg")
    shelf = Shelf(first, second)
    del shelf.now[first.record.id], shelf.files[first.path]

    archive = _zip(shelf)

    assert archive.namelist() == ["photo/b.jpg", "captions.csv"]
    assert [(row["filename"], row["file"], row["note"]) for row in _rows(archive)] == [
        ("a.jpg", "", "left out: it was deleted while the export ran"),
        ("b.jpg", "photo/b.jpg", ""),
    ]


def test_an_export_that_fails_in_the_middle_is_no_zip() -> None:
    shelf = Shelf(_filed("a.jpg"))
    shelf.failure = StorageUnavailable("the database does not answer")
    got = io.BytesIO()
    with pytest.raises(StorageUnavailable):
        got.writelines(stream_zip(iter(ExportMembers(shelf, None)), chunk_size=16))
    assert got.getvalue().startswith(b"PK")
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(got)


def test_a_large_export_uses_zip64_and_no_data_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage_service.export_members.ZIP32_MOST_FILES", 2)
    archive = _zip(Shelf(*(_filed(f"{number}.jpg") for number in range(5))))
    pictures = archive.infolist()[:-1]
    assert [info.extract_version for info in pictures] == [20, 45, 45, 45, 45]
    assert {(info.flag_bits & 0x08, info.compress_type) for info in pictures} == {(0, zipfile.ZIP_STORED)}


@pytest.mark.parametrize(
    ("filename", "media_type", "name"),
    [
        ("Größe 🐕‍🦺.JPG", "image/jpeg", "Größe 🐕‍🦺.JPG"),
        ("photo.jpeg", "image/jpeg", "photo.jpeg"),
        ("photo.png", "image/jpeg", "photo.png.jpg"),
        ("..\\..\\etc/passwd", "image/png", "_.._etc_passwd.png"),
        ("CON.jpg", "image/jpeg", "_CON.jpg"),
        ("com¹.tar.jpg", "image/jpeg", "_com¹.tar.jpg"),
        ("trailing. .jpg", "image/jpeg", "trailing.jpg"),
        ("...", "image/jpeg", "image.jpg"),
        ("a\u202egpj.exe", "image/jpeg", "agpj.exe.jpg"),
        ("x" * 255, "image/jpeg", "x" * 200 + ".jpg"),
        ("🐕" * 255, "image/webp", "🐕" * 50 + ".webp"),
        ("strange", "image/x-new", "strange.bin"),
    ],
)
def test_a_name_is_the_persons_own_and_safe_everywhere(filename: str, media_type: str, name: str) -> None:
    assert ExportedNames().path_of(_filed(filename, media_type=media_type).record) == f"photo/{name}"


def test_names_that_are_equal_to_windows_or_macos_are_told_apart() -> None:
    names = ExportedNames()
    images = [_filed(name).record for name in ("ä.jpg", "a\u0308.jpg", "Ä.JPG", "ä.jpg")]
    paths = [names.path_of(record) for record in images]
    assert paths[0] == "photo/ä.jpg"
    assert paths[3] == f"photo/ä--{images[3].id}.jpg"
    assert len(set(paths)) == 4
    assert {without_id(path) for path in paths} == {"photo/ä.jpg", "photo/Ä.JPG"}


def test_a_name_without_an_id_is_left_alone() -> None:
    for name in ("dog.jpg", "a--b.jpg", "noextension", "a--0199d2b0-0000-4000-8000-000000000000.jpg"):
        assert without_id(name) == name


def test_the_table_says_what_it_was_told_and_runs_nothing_in_a_spreadsheet(tmp_path: Path) -> None:
    words = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\uff1d1", "'quoted", 'say "hi",\nthere', "plain", "\t=1"]
    file = tmp_path / "captions.csv"
    with file.open("w+b") as stream:
        table = CaptionsTable(stream)
        for text in words:
            image = image_of(new_image(text.encode(), caption=None), size_bytes=1)
            image.analyses.extend(lineage.corrected(Correction.model_construct(caption=text)))
            lineage.refresh(image)
            table.add(lineage.record_of(image), file="photo/a.jpg")
        table.finish()

    with file.open(encoding="utf-8", newline="") as stream:
        cells = [row["caption"] for row in csv.DictReader(stream)]
    assert not [cell for cell in cells if cell[0] in "=+-@\uff1d\t\r"]
    assert [row["caption"] for row in read_rows(file)] == words


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00"])
def test_a_file_that_is_no_table_of_an_export_is_said_to_be_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "captions.csv").write_bytes(content)
    with pytest.raises(ValueError, match=r"."):
        list(read_rows(tmp_path / "captions.csv"))
