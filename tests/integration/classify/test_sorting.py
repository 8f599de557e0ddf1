"""Sorting a folder on disk: where files end up, what is never touched, and what an undo brings back."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from classify_service.sorting.report import Report, Row, SortError, Way, read_rows
from classify_service.sorting.sorting_run import Outcome, Sorting, check_folders
from classify_service.sorting.undoing import undo
from tests.integration.classify.colours import ColourClassifier, contents, names, paint
from tests.live_platform import ROOT

MEMORY = Path("/dev/shm")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Three pictures by the same name, one grey one, and what is no picture."""
    folder = tmp_path / "from"
    paint(folder / "1.png", "red")
    paint(folder / "a" / "1.png", "red", number=1)
    paint(folder / "a" / "b" / "1.png", "blue")
    paint(folder / "grey.png", "grey")
    (folder / "notes.txt").write_text("no picture")
    (folder / "a" / "broken.png").write_bytes((folder / "1.png").read_bytes()[:60])
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system."""
    if not MEMORY.is_dir() or MEMORY.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this machine has no second file system at /dev/shm")
    folder = MEMORY / f"legenda-test-{os.getpid()}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where there is one: hundreds of syncs take their time on a disk."""
    if not MEMORY.is_dir():
        yield tmp_path
        return
    folder = MEMORY / f"legenda-test-quick-{os.getpid()}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


SORTED = {"red/1.png", "red/1 (2).png", "blue/1.png", "unclassified/grey.png"}
LEFT = {"notes.txt", "a/broken.png"}


def _sort(source: Path, destination: Path, way: Way = Way.COPY) -> Outcome:
    return Sorting(source, destination, way=way, classifier=ColourClassifier()).run()


def _report(outcome: Outcome) -> Path:
    assert outcome.report
    return outcome.report


def test_copies_get_into_label_folders_and_the_source_stays(source: Path, tmp_path: Path) -> None:
    before = contents(source)
    outcome = _sort(source, tmp_path / "to")
    assert names(tmp_path / "to") == SORTED
    assert contents(source) == before
    assert outcome.placed == {"red": 2, "blue": 1, "unclassified": 1}
    assert {Path(file).name for file, _ in outcome.left} == {"notes.txt", "broken.png"}


def test_moved_files_are_in_one_place_and_others_stay(source: Path, tmp_path: Path) -> None:
    before = contents(source)
    _sort(source, tmp_path / "to", Way.MOVE)
    assert (names(tmp_path / "to"), names(source)) == (SORTED, LEFT)
    assert sorted(contents(source) + contents(tmp_path / "to")) == before


def test_a_link_is_the_same_file(source: Path, tmp_path: Path) -> None:
    _sort(source, tmp_path / "to", Way.LINK)
    assert names(tmp_path / "to") == SORTED
    assert (tmp_path / "to/blue/1.png").samefile(source / "a/b/1.png")


def test_the_report_has_a_row_a_file(source: Path, tmp_path: Path) -> None:
    report = _report(_sort(source, tmp_path / "to"))
    with report.open(encoding="utf-8", newline="") as lines:
        rows = {row["source"]: row for row in csv.DictReader(lines)}
    assert len(rows) == 6
    grey = rows[str(source / "grey.png")]
    assert (grey["label"], grey["confidence"], grey["action"]) == ("unclassified", "0.4000", "copied")
    assert grey["destination"] == str(tmp_path / "to/unclassified/grey.png")
    text = rows[str(source / "notes.txt")]
    assert (text["action"], text["destination"]) == ("left", "")
    assert "not an image" in text["error"]


@pytest.mark.parametrize("way", [Way.COPY, Way.LINK])
def test_a_second_run_finds_everything_there(way: Way, source: Path, tmp_path: Path) -> None:
    _sort(source, tmp_path / "to", way)
    again = _sort(source, tmp_path / "to", way)
    assert names(tmp_path / "to") == SORTED
    assert again.already_there == 4
    assert undo(_report(again)).taken_back.total() == 0
    assert names(tmp_path / "to") == SORTED


def test_equal_files_by_one_name_are_two_files(tmp_path: Path) -> None:
    paint(tmp_path / "from/a/1.png", "red")
    paint(tmp_path / "from/b/1.png", "red")
    for way in (Way.COPY, Way.COPY, Way.MOVE):
        _sort(tmp_path / "from", tmp_path / "to", way)
    assert names(tmp_path / "to") == {"red/1.png", "red/1 (2).png", "red/1 (3).png", "red/1 (4).png"}
    assert names(tmp_path / "from") == set()


def test_what_is_there_is_not_overwritten(source: Path, tmp_path: Path) -> None:
    (tmp_path / "to/red").mkdir(parents=True)
    (tmp_path / "to/red/1.png").write_bytes(b"mine")
    (tmp_path / "to/blue").mkdir()
    (tmp_path / "to/blue/1.png").symlink_to(tmp_path / "nowhere")
    _sort(source, tmp_path / "to", Way.MOVE)
    assert (tmp_path / "to/red/1.png").read_bytes() == b"mine"
    assert (tmp_path / "to/blue/1.png").is_symlink()
    assert names(tmp_path / "to") == {
        "red/1.png",
        "red/1 (2).png",
        "red/1 (3).png",
        "blue/1 (2).png",
        "unclassified/grey.png",
    }


def test_a_destination_inside_the_source_is_not_sorted_again(source: Path) -> None:
    for _ in range(2):
        _sort(source, source / "to")
    assert names(source / "to") == SORTED


def test_a_label_folder_can_be_sorted_into_its_own_tree(source: Path, tmp_path: Path) -> None:
    _sort(source, tmp_path / "to", Way.MOVE)
    again = _sort(tmp_path / "to/red", tmp_path / "to", Way.MOVE)
    assert again.already_there == 2
    assert names(tmp_path / "to") == SORTED


def test_symbolic_links_pipes_and_hidden_files_stay(tmp_path: Path) -> None:
    source = tmp_path / "from"
    paint(tmp_path / "other/1.png", "red")
    paint(source / ".thumbnails/2.png", "red")
    paint(source / ".hidden.png", "red")
    (source / "file.png").symlink_to(tmp_path / "other/1.png")
    (source / "folder").symlink_to(tmp_path / "other")
    os.mkfifo(source / "pipe.png")
    outcome = _sort(source, tmp_path / "to", Way.MOVE)
    assert names(tmp_path / "to") == set()
    assert {Path(file).name for file, _ in outcome.left} == {"file.png", "folder", "pipe.png"}


def test_odd_names_come_through_report_and_undo(tmp_path: Path) -> None:
    odd = ['a,"b"\r\nc.png', "=1+1.png", "\udcff.png", " .png", "no suffix"]
    for number, name in enumerate(odd):
        paint(tmp_path / "from" / name, "red", number=number)
    report = _report(_sort(tmp_path / "from", tmp_path / "to", Way.MOVE))
    assert names(tmp_path / "to") == {f"red/{name}" for name in odd}
    undo(report)
    assert names(tmp_path / "from") == set(odd)


def test_a_file_where_a_labels_folder_should_be_is_told(source: Path, tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    (tmp_path / "to/blue").write_text("a file where a label's folder should be")
    outcome = _sort(source, tmp_path / "to", Way.MOVE)
    assert (source / "a/b/1.png").exists()
    assert [Path(file).name for file, reason in outcome.left if reason == "File exists"] == ["1.png"]


def test_moving_to_another_file_system_and_back(source: Path, tmp_path: Path, elsewhere: Path) -> None:
    before = contents(source)
    mtime = (source / "1.png").stat().st_mtime_ns
    report = _report(_sort(source, elsewhere / "to", Way.MOVE))
    assert (names(elsewhere / "to"), names(source)) == (SORTED, LEFT)
    assert (elsewhere / "to/red/1.png").stat().st_mtime_ns == mtime
    assert undo(report).kept == []
    assert contents(source) == before
    assert names(elsewhere / "to") == set()


def test_a_link_to_another_file_system_is_refused_in_words(source: Path, elsewhere: Path) -> None:
    outcome = _sort(source, elsewhere / "to", Way.LINK)
    assert names(elsewhere / "to") == set()
    assert "no hard link is possible here" in dict(outcome.left)[str(source / "1.png")]


def test_a_dry_run_writes_nothing(source: Path, tmp_path: Path) -> None:
    told: dict[str, str] = {}
    sorting = Sorting(source, tmp_path / "to", way=Way.MOVE, classifier=ColourClassifier())
    sorting.plan(lambda file, plan: told.update({str(file): str(plan.place)}))
    assert {os.path.relpath(place, tmp_path / "to") for place in told.values()} == SORTED
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("way", list(Way))
def test_an_undo_leaves_everything_as_it_was(way: Way, source: Path, tmp_path: Path) -> None:
    before, there = contents(source), names(source)
    report = _report(_sort(source, tmp_path / "to", way))
    undone = undo(report)
    assert (undone.taken_back, undone.kept) == ({way.done: 4}, [])
    assert (contents(source), names(source), names(tmp_path / "to")) == (before, there, set())
    assert not (tmp_path / "to/red").exists()
    assert undo(report).taken_back.total() == 0


def test_an_undo_keeps_what_was_changed_and_what_is_the_last(source: Path, tmp_path: Path) -> None:
    report = _report(_sort(source, tmp_path / "to"))
    (tmp_path / "to/blue/1.png").write_bytes(b"drawn over")
    (source / "grey.png").unlink()
    kept = {Path(file).name: reason for file, reason in undo(report).kept}
    assert names(tmp_path / "to") == {"blue/1.png", "unclassified/grey.png"}
    assert kept["1.png"] == "it was changed since"
    assert "is gone, so this is the only one left" in kept["grey.png"]


def test_an_undo_never_overwrites(source: Path, tmp_path: Path) -> None:
    report = _report(_sort(source, tmp_path / "to", Way.MOVE))
    (source / "1.png").write_bytes(b"a new one")
    ((_, reason),) = undo(report).kept
    assert "there is another file" in reason
    assert (source / "1.png").read_bytes() == b"a new one"
    assert names(tmp_path / "to") == {"red/1.png"}


def test_an_unfinished_run_of_another_kind_is_not_mixed_with_this_one(source: Path, tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    Report.begin(tmp_path / "to", source=source, way=Way.MOVE).close()
    with pytest.raises(SortError, match=r"has an unfinished run: finish it with `classify-sort --move"):
        _sort(source, tmp_path / "to")
    (unfinished,) = (tmp_path / "to").glob("*.unfinished.csv")
    undo(unfinished)
    _sort(source, tmp_path / "to")
    assert names(tmp_path / "to") == SORTED


def test_a_torn_row_is_dropped_and_a_strange_file_refused(tmp_path: Path) -> None:
    report = Report.begin(tmp_path, source=tmp_path, way=Way.COPY)
    report.write(Row("/a", "/b", "red", "0.9", "copied", sha256="0" * 64))
    report.close()
    whole = report.file.read_bytes()
    for cut in range(len(whole) - 80, len(whole) - 2):
        report.file.write_bytes(whole[:cut])
        assert [row.action for row in read_rows(report.file)] == ["copy"], cut
    report.file.write_text("a,b\n1,2\n")
    with pytest.raises(SortError, match="is no report of classify-sort"):
        read_rows(report.file)
    with pytest.raises(SortError, match="there is no report"):
        undo(tmp_path / "none.csv")


@pytest.mark.parametrize("way", ["copy", "move", "link", "undo-move"])
def test_killed_at_any_file_operation_and_run_again_every_file_is_in_one_place(way: str, quick: Path) -> None:
    originals = quick / "originals"
    paint(originals / "1.png", "red")
    paint(originals / "a/1.png", "red", number=1)
    (originals / "a/text").write_text("no picture")
    before = contents(originals)
    _kill(quick, originals, way)
    _check_each(quick, before, way)


def test_the_same_between_two_file_systems(tmp_path: Path, elsewhere: Path) -> None:
    paint(elsewhere / "1.png", "red")
    before = contents(elsewhere)
    _kill(tmp_path, elsewhere, "move")
    _check_each(tmp_path, before, "move")


def _kill(folder: Path, originals: Path, way: str) -> None:
    module = "tests.integration.classify.killed_sorting"
    command = [sys.executable, "-m", module, str(folder / "work"), str(originals), way]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)


def _check_each(work: Path, before: list[bytes], way: str) -> None:
    killed = sorted((work / "work").iterdir())
    assert len(killed) > 15
    for folder in killed:
        source, destination = folder / "from", folder / "to"
        if way.startswith("undo-"):
            for report in destination.glob("*.csv"):
                undo(report)
            assert contents(source) == before, folder
            _sort(source, destination, Way.MOVE)
            for report in destination.glob("*.csv"):
                undo(report)
            assert contents(source) == before, folder
            continue
        outcome = _sort(source, destination, Way(way))
        sorted_now = contents(destination)
        assert len(sorted_now) == len(set(sorted_now)), folder
        if way == "move":
            assert sorted(contents(source) + sorted_now) == before, folder
        else:
            assert contents(source) == before, folder
            assert len(sorted_now) == outcome.placed.total(), folder
        assert not list(destination.rglob(".*")), folder
        assert len(list(destination.glob("*.csv"))) <= 2
        for report in destination.glob("*.csv"):
            undo(report)
        assert contents(source) == before, folder
        assert contents(destination) == [], folder


def test_folders_are_checked_first(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for source, destination, reason in (
        (tmp_path / "none", tmp_path / "to", "there is no folder"),
        (tmp_path, tmp_path / "file", "is a file"),
        (tmp_path, tmp_path / "a/..", "cannot be sorted into itself"),
    ):
        with pytest.raises(SortError, match=reason):
            check_folders(source, destination)
