from __future__ import annotations

from pathlib import Path

import pytest

from storage_service.vector_index import (
    DamagedIndex,
    Manifest,
    add,
    forget_others,
    load_index,
    manifest_stamp,
    new_index,
    open_snapshot,
    read_manifest,
    write_snapshot,
)
from storage_service.vector_tail import Tail
from storage_service.vectors import Vectors, from_bytes, to_bytes
from tests.unit.storage.embedded import ENCODER, directions

ROWS = 300


def _vectors(count: int = ROWS) -> Vectors:
    return from_bytes(*(to_bytes(one) or b"" for one in directions(count)))


def _written(folder: Path, *, rows: int = ROWS, encoder: str = ENCODER) -> Manifest:
    index = new_index()
    add(index, list(range(1, rows + 1)), _vectors(rows), threads=1)
    return write_snapshot(folder, index, encoder=encoder, through=rows)


def test_what_was_written_is_found_again_by_its_number(tmp_path: Path) -> None:
    _written(tmp_path)
    manifest = read_manifest(tmp_path, ENCODER)
    assert manifest is not None

    snapshot = open_snapshot(tmp_path, manifest)

    assert [next(iter(snapshot.search(vector, 3))) for vector in _vectors()[:20]] == list(range(1, 21))
    assert manifest.rows == manifest.through == ROWS


def test_a_new_snapshot_takes_the_place_of_the_old_one_which_stays_readable_for_who_has_it(tmp_path: Path) -> None:
    old = open_snapshot(tmp_path, _written(tmp_path, rows=100))
    before = manifest_stamp(tmp_path, ENCODER)
    _written(tmp_path)

    assert manifest_stamp(tmp_path, ENCODER) != before
    assert len(list(tmp_path.glob("*.usearch"))) == 1
    assert list(old.search(_vectors()[4], 1)) == [5]


def test_an_index_can_be_loaded_and_added_to_and_keeps_what_it_has(tmp_path: Path) -> None:
    manifest = _written(tmp_path, rows=100)
    index = load_index(tmp_path, manifest)

    add(index, list(range(51, 201)), _vectors(200)[50:], threads=1)

    assert len(index) == 200
    assert int(index.search(_vectors(200)[150], 1).keys[0]) == 151


def test_no_index_is_none(tmp_path: Path) -> None:
    assert read_manifest(tmp_path, ENCODER) is None
    assert manifest_stamp(tmp_path, ENCODER) is None


@pytest.mark.parametrize("damage", ["shorter", "longer", "another byte", "gone"])
def test_a_damaged_vector_file_is_found_out(tmp_path: Path, damage: str) -> None:
    manifest = _written(tmp_path)
    file = tmp_path / manifest.file
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        middle = len(content) // 2
        changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        file.write_bytes({"shorter": content[:-7], "longer": content + b"x", "another byte": changed}[damage])

    with pytest.raises(DamagedIndex):
        open_snapshot(tmp_path, manifest)
    with pytest.raises(DamagedIndex):
        load_index(tmp_path, manifest)


@pytest.mark.parametrize("text", ["", "{", "{}", "null"])
def test_a_damaged_manifest_is_found_out(tmp_path: Path, text: str) -> None:
    _written(tmp_path)
    next(tmp_path.glob("*.json")).write_text(text)

    with pytest.raises(DamagedIndex):
        read_manifest(tmp_path, ENCODER)


def test_an_index_of_another_encoder_is_not_taken(tmp_path: Path) -> None:
    _written(tmp_path)
    manifest = next(tmp_path.glob("*.json"))
    manifest.write_text(manifest.read_text().replace(ENCODER, "vgg16@2+def"))

    with pytest.raises(DamagedIndex, match="another format or encoder"):
        read_manifest(tmp_path, ENCODER)


def test_a_manifest_cannot_name_a_file_elsewhere(tmp_path: Path) -> None:
    written = _written(tmp_path)
    manifest = next(tmp_path.glob("*.json"))
    manifest.write_text(manifest.read_text().replace(written.file, f"../{written.file}"))

    with pytest.raises(DamagedIndex):
        read_manifest(tmp_path, ENCODER)


def test_what_a_killed_writer_left_goes_with_the_next(tmp_path: Path) -> None:
    written = _written(tmp_path)
    stem = written.file.partition(".")[0]
    (tmp_path / f"{stem}.0123.usearch").write_bytes(b"half")
    (tmp_path / f"{stem}.0123.usearch.json").write_bytes(b"{")

    written = _written(tmp_path)

    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([written.file, f"{stem}.json"])


def test_indexes_of_encoders_without_images_are_removed(tmp_path: Path) -> None:
    _written(tmp_path)
    other = _written(tmp_path, encoder="vgg16@2+def")

    forget_others(tmp_path, ["vgg16@2+def"])

    assert {file.name for file in tmp_path.glob("*.usearch")} == {other.file}
    assert len(list(tmp_path.iterdir())) == 2


def test_the_tail_finds_the_nearest_of_all_and_takes_nothing_twice() -> None:
    tail = Tail(limit_rows=5000)
    rows = [(seq, vector.tobytes()) for seq, vector in enumerate(_vectors(3000), 1)]
    tail.add(rows[:1500])
    tail.add(rows[1000:])

    assert len(tail) == 3000
    assert [next(iter(tail.search(_vectors(3000)[at], 1))) for at in (0, 1200, 2999)] == [1, 1201, 3000]
    assert Tail(limit_rows=5).search(_vectors(1)[0], 3) == {}


def test_the_tail_says_when_there_may_be_more() -> None:
    tail = Tail(limit_rows=10)
    tail.add([(seq, vector.tobytes()) for seq, vector in enumerate(_vectors(30), 1)])

    assert len(tail) == 10
    assert tail.is_full
