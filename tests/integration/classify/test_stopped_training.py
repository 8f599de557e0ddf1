"""A training that is interrupted, then killed, then let go on, with the real command at toy size."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.classify.drawn_labels import write_pictures

ARGUMENTS = ["--views", "1", "--epochs", "3", "--folds", "2", "--heads", "1", "--data", "pictures", "--out", "shapes"]
FIRST_HEAD = "fold 1 of 2, head 1 of 1"
STEP_TIMEOUT_S = 120


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_pictures(tmp_path / "pictures", count=20, labels=("blobs", "stripes"))
    return tmp_path


def test_a_stopped_training_goes_on_where_it_was(folder: Path) -> None:
    interrupted = _start(folder)
    _wait_until(interrupted, lambda: any(file.stat().st_size for file in _found(folder, "views/regions-*")))
    interrupted.send_signal(signal.SIGINT)
    _, errors = interrupted.communicate(timeout=STEP_TIMEOUT_S)
    assert interrupted.returncode == 1
    assert "classify-train: stopped before the model was written; the same command goes on" in errors
    assert "Traceback" not in errors
    (seen,) = _found(folder, "views/regions-*")
    seen_before = seen.read_bytes()

    killed = _start(folder)
    _wait_until(killed, lambda: bool(_found(folder, f"heads/*/{FIRST_HEAD}.npz")))
    killed.kill()
    killed.communicate(timeout=STEP_TIMEOUT_S)
    (head,) = _found(folder, f"heads/*/{FIRST_HEAD}.npz")
    trained_at = head.stat().st_mtime_ns
    assert not (folder / "shapes").exists()

    finished = _start(folder)
    printed, errors = finished.communicate(timeout=STEP_TIMEOUT_S)
    assert finished.returncode == 0, errors
    assert "Written to shapes" in printed
    assert seen.read_bytes().startswith(seen_before)
    assert head.stat().st_mtime_ns == trained_at
    with (folder / "shapes" / "training.csv").open(encoding="utf-8", newline="") as lines:
        epochs = [(row["head"], row["epoch"]) for row in csv.DictReader(lines)]
    assert len(epochs) == len(set(epochs))
    assert list(dict.fromkeys(name for name, _ in epochs)) == [
        FIRST_HEAD,
        "fold 2 of 2, head 1 of 1",
        "all, head 1 of 1",
    ]


def _start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "classify_service.training.train", *ARGUMENTS],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _found(folder: Path, pattern: str) -> list[Path]:
    return list((folder / "shapes-training").glob(pattern))


def _wait_until(process: subprocess.Popen[str], happened: Callable[[], bool]) -> None:
    until = time.monotonic() + STEP_TIMEOUT_S
    while not happened():
        assert process.poll() is None, "the training ended too early"
        assert time.monotonic() < until, "the training is too slow"
        time.sleep(0.02)
