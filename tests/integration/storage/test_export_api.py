"""An export of the real service: what is in the ZIP, and what becomes of one that does not come to its end."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.unit.storage.samples import PREVIEW, new_image


async def _store(storage: httpx.AsyncClient, content: bytes, **known: object) -> dict:
    new = new_image(content, **known)  # type: ignore[arg-type]
    files = {"original": ("original", content, "image/jpeg"), "preview": ("preview.jpg", PREVIEW, "image/jpeg")}
    response = await storage.post("/v1/images", data={"record": new.model_dump_json()}, files=files)
    assert response.status_code == 201, response.text
    return response.json()


async def _export(storage: httpx.AsyncClient, **query: str) -> zipfile.ZipFile:
    response = await storage.get("/v1/export", params=query)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/zip")
    archive = zipfile.ZipFile(io.BytesIO(response.content))
    assert archive.testzip() is None
    return archive


def _rows(archive: zipfile.ZipFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read("captions.csv").decode(), newline="")))


async def test_an_export_has_a_folder_for_each_label_and_a_table_of_all(storage: httpx.AsyncClient) -> None:
    dog = await _store(storage, b"dog", filename="dog.jpg", label="photo", caption="a dog, running")
    note = await _store(storage, b"note", filename="Zettel.jpg", label="note", caption=None)
    await storage.patch(f"/v1/images/{note['id']}", json={"label": "my_notes"})

    archive = await _export(storage)

    assert archive.namelist() == ["my_notes/Zettel.jpg", "photo/dog.jpg", "captions.csv"]
    assert (archive.read("photo/dog.jpg"), archive.read("my_notes/Zettel.jpg")) == (b"dog", b"note")
    last, first = _rows(archive)
    assert (first["id"], first["file"], first["caption"]) == (dog["id"], "photo/dog.jpg", "a dog, running")
    assert (first["label_source"], first["label_model"], first["label_confidence"]) == ("model", "cnn@3", "0.9")
    assert (last["label"], last["label_source"], last["label_confidence"]) == ("my_notes", "person", "")
    assert (last["caption"], last["caption_source"], last["status"]) == ("", "", "pending")
    assert first["sha256"] == dog["sha256"]
    assert first["created_at"].endswith("+00:00")


async def test_names_stay_as_people_gave_them_and_equal_ones_carry_their_id(storage: httpx.AsyncClient) -> None:
    names = [
        "Größe 🐕‍🦺 am Fluß.jpg",
        "dog.jpg",
        "DOG.jpg",
        "con.jpg",
        "a/b:c?.jpg",
        "=1+1.jpg",
        ".hidden.jpg",
        "x.png",
    ]
    ids = [(await _store(storage, name.encode(), filename=name))["id"] for name in names]

    archive = await _export(storage)

    paths = {row["filename"]: row["file"] for row in _rows(archive)}
    assert paths[names[0]] == "photo/Größe 🐕‍🦺 am Fluß.jpg"
    assert sorted([paths["dog.jpg"], paths["DOG.jpg"]]) == ["photo/DOG.jpg", f"photo/dog--{ids[1]}.jpg"]
    assert paths["con.jpg"] == "photo/_con.jpg"
    assert paths["a/b:c?.jpg"] == "photo/a_b_c_.jpg"
    assert paths["'=1+1.jpg"] == "photo/=1+1.jpg"
    assert paths[".hidden.jpg"] == "photo/hidden.jpg"
    assert paths["x.png"] == "photo/x.png.jpg"
    assert len({path.casefold() for path in archive.namelist()}) == len(names) + 1


async def test_only_what_is_asked_for_is_exported(storage: httpx.AsyncClient) -> None:
    await _store(storage, b"1", filename="1.jpg", label="photo", caption="a dog in snow")
    await _store(storage, b"2", filename="2.jpg", label="meme", caption="a dog in snow")
    await _store(storage, b"3", filename="3.jpg", label="photo", caption="a cat")

    assert (await _export(storage, label="photo", q="snow")).namelist() == ["photo/1.jpg", "captions.csv"]
    assert len((await _export(storage, q="dog")).namelist()) == 3
    assert _rows(await _export(storage, q="xylophone")) == []
    assert _rows(await _export(storage, q='"%_*')) == []


async def test_more_images_than_a_page_are_each_exported_once(storage: httpx.AsyncClient) -> None:
    for number in range(120):
        await _store(storage, b"%d" % number, filename="same.jpg")
    archive = await _export(storage)
    assert sorted(archive.read(name) for name in archive.namelist()[:-1]) == sorted(b"%d" % at for at in range(120))
    assert len(_rows(archive)) == 120


async def test_a_file_that_is_gone_is_named_and_one_that_was_changed_is_noted(
    storage: httpx.AsyncClient, folder: Path
) -> None:
    gone = await _store(storage, b"gone", filename="gone.jpg")
    changed = await _store(storage, b"as it was", filename="changed.jpg")
    (folder / "photo" / f"gone--{gone['id']}.jpg").unlink()
    (folder / "photo" / f"changed--{changed['id']}.jpg").write_bytes(b"as it is")

    archive = await _export(storage)

    rows = {row["filename"]: row for row in _rows(archive)}
    assert (rows["gone.jpg"]["file"], rows["gone.jpg"]["note"][:8]) == ("", "left out")
    assert archive.read(rows["changed.jpg"]["file"]) == b"as it is"
    assert "not those uploaded" in rows["changed.jpg"]["note"]


@pytest.mark.parametrize("query", [{"label": "Not A Label"}, {"sidecars": "json"}])
async def test_what_cannot_be_exported_is_a_problem(storage: httpx.AsyncClient, query: dict[str, str]) -> None:
    response = await storage.get("/v1/export", params=query)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
