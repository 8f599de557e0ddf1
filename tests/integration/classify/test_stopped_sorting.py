"""The real command with the shipped model: interrupted, killed half way, run again, taken back."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.integration.classify.colours import contents, names
from tests.integration.classify.drawn_labels import write_pictures

STEP_TIMEOUT_S = 120


def test_a_sorting_that_is_stopped_and_killed_ends_with_every_file_in_one_place(tmp_path: Path) -> None:
    write_pictures(tmp_path / "from", count=12)
    (tmp_path / "from/words/notes.txt").write_text("no picture")
    before = contents(tmp_path / "from")

    interrupted = _start(tmp_path, "--move", "from", "to")
    _wait_until(interrupted, lambda: _rows(tmp_path) > 8)
    interrupted.send_signal(signal.SIGINT)
    _, errors = interrupted.communicate(timeout=STEP_TIMEOUT_S)
    assert interrupted.returncode == 1
    assert "classify-sort: stopped; the same command goes on, and `classify-sort --undo" in errors
    assert "Traceback" not in errors
    assert sorted(contents(tmp_path / "from") + contents(tmp_path / "to")) == before

    killed = _start(tmp_path, "--move", "from", "to")
    rows = _rows(tmp_path)
    _wait_until(killed, lambda: _rows(tmp_path) > rows + 20)
    killed.kill()
    killed.communicate(timeout=STEP_TIMEOUT_S)
    assert contents(tmp_path / "from")

    finished = _start(tmp_path, "--move", "from", "to")
    printed, errors = finished.communicate(timeout=STEP_TIMEOUT_S)
    assert finished.returncode == 0, errors
    assert "48 images are in their folders" in printed
    assert "1 files stay where they are" in printed
    assert sorted(contents(tmp_path / "from") + contents(tmp_path / "to")) == before
    assert names(tmp_path / "from") == {"words/notes.txt"}
    (report,) = (tmp_path / "to").glob("classify-sort-*.csv")
    with report.open(encoding="utf-8", newline="") as lines:
        assert len(list(csv.DictReader(lines))) == 49

    undone = _start(tmp_path, "--undo", str(report))
    printed, errors = undone.communicate(timeout=STEP_TIMEOUT_S)
    assert undone.returncode == 0, errors
    assert printed == "48 files moved back, 0 copies or links removed.\n"
    assert contents(tmp_path / "from") == before
    assert names(tmp_path / "to") == set()


def test_a_mistake_is_answered_in_one_sentence(tmp_path: Path) -> None:
    for arguments, said in (
        (["none", "to"], "classify-sort: there is no folder none\n"),
        (["--undo", "none.csv"], "classify-sort: there is no report none.csv\n"),
        ([], "SRC and DST are needed, or --undo REPORT\n"),
    ):
        refused = _start(tmp_path, *arguments)
        _, errors = refused.communicate(timeout=STEP_TIMEOUT_S)
        assert refused.returncode != 0
        assert errors.endswith(said)
        assert "Traceback" not in errors


def test_a_dry_run_says_what_would_be_done(tmp_path: Path) -> None:
    write_pictures(tmp_path / "from", count=1, labels=("words",))
    told = _start(tmp_path, "--dry-run", "--link", "from", "to")
    printed, errors = told.communicate(timeout=STEP_TIMEOUT_S)
    assert told.returncode == 0, errors
    assert "would link: " in printed
    assert "1 images would be in their folders" in printed
    assert {path.name for path in tmp_path.iterdir()} == {"from"}


def _start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "classify_service.sorting.sort", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _rows(folder: Path) -> int:
    return sum(len(file.read_bytes().splitlines()) for file in (folder / "to").glob("*.unfinished.csv"))


def _wait_until(process: subprocess.Popen[str], happened: Callable[[], bool]) -> None:
    until = time.monotonic() + STEP_TIMEOUT_S
    while not happened():
        assert process.poll() is None, "the sorting ended too early"
        assert time.monotonic() < until, "the sorting is too slow"
        time.sleep(0.02)
