"""`classify-draw` with a real browser: pictures that `classify-train` reads, the same ones again, none done twice."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from classify_service.training.dataset import read_examples, read_others, with_sources
from classify_service.training.drawing.catalogue import DRAWN_LABELS, HANDWRITTEN, NO_LABEL
from classify_service.training.drawing.draw import MIN_HANDS
from classify_service.training.drawing.fonts import installed
from classify_service.training.drawing.handwriting import HAND_FONTS

COMMAND = [sys.executable, "-m", "classify_service.training.drawing.draw"]


def _draw(out: Path, chromium: str, *arguments: str) -> None:
    subprocess.run([*COMMAND, str(out), "--chromium", chromium, *arguments], check=True, timeout=240)


def test_each_label_is_drawn_and_read_by_the_training(chromium: str, tmp_path: Path) -> None:
    _draw(tmp_path, chromium, "--count", "2")

    examples = with_sources(read_examples(tmp_path / "labelled"), tmp_path / "labelled.csv")
    missing = {HANDWRITTEN} if len(installed(HAND_FONTS)) < MIN_HANDS else set()
    labels = set(DRAWN_LABELS) - {NO_LABEL} - missing
    assert {example.label for example in examples} == labels
    assert len(examples) == 2 * len(labels)
    assert not any(example.judged for example in examples)
    assert len({example.source for example in examples}) == len(examples)
    assert len(read_others(tmp_path / "other")) == 2
    for file in tmp_path.rglob("*.jpg"):
        with Image.open(file) as picture:
            assert max(picture.size) <= 512
            assert np.asarray(picture).std() > 2, file


def test_a_second_run_adds_only_what_is_missing_and_a_seed_draws_the_same_again(chromium: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    _draw(first, chromium, "--count", "1", "--label", "circular", "--label", "question_paper")
    before = {file: file.stat().st_mtime_ns for file in first.rglob("*.jpg")}
    _draw(first, chromium, "--count", "2", "--label", "circular", "--label", "question_paper")
    _draw(second, chromium, "--count", "2", "--label", "circular", "--label", "question_paper")

    assert all(file.stat().st_mtime_ns == changed for file, changed in before.items())
    pictures = sorted(file.relative_to(first) for file in first.rglob("*.jpg"))
    assert len(pictures) == 4
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in pictures)


def test_ctrl_c_ends_it_in_one_sentence_and_leaves_whole_pictures(chromium: str, tmp_path: Path) -> None:
    command = [*COMMAND, str(tmp_path), "--chromium", chromium, "--count", "500", "--label", "circular"]
    # Its own session, so that the signal goes to it alone, as `kill -INT` does.
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as drawing:
        try:
            deadline = time.monotonic() + 120
            while not list(tmp_path.rglob("*.jpg")):
                assert drawing.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            drawing.send_signal(signal.SIGINT)
            _, told = drawing.communicate(timeout=60)
        finally:
            drawing.kill()
    assert drawing.returncode == 1
    assert "classify-draw: stopped; the same command goes on" in told
    assert "Traceback" not in told
    assert len((tmp_path / "labelled.csv").read_text().splitlines()) == 1 + len(list(tmp_path.rglob("*.jpg")))
    for file in tmp_path.rglob("*.jpg"):
        with Image.open(file) as picture:
            picture.load()
