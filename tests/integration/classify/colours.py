"""Folders of plain pictures and a classifier that needs no network: it labels by colour."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from classify_service.model.preprocessing import read_picture
from tests.fakes import FakeScore

COLOURS = {"red": (200, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 200), "grey": (128, 128, 128)}


class ColourClassifier:
    """Names the strongest channel; a grey picture gets a label of little confidence."""

    def scores_of_file(self, source: Path) -> Sequence[FakeScore]:
        means = read_picture(source).mean(axis=(0, 1))
        label = ("red", "green", "blue")[int(means.argmax())]
        return [FakeScore(label, 0.4 if np.ptp(means) < 20 else 0.9)]

    def is_sure_of(self, label: str, confidence: float) -> bool:
        return confidence >= 0.5


def paint(file: Path, colour: str, *, number: int = 0) -> Path:
    """Write a picture of a colour; another number gives another picture."""
    file.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", (40, 30), COLOURS[colour])
    ImageDraw.Draw(picture).point([(number % 40, number // 40)], fill="black")
    picture.save(file, "PNG")
    return file


def contents(folder: Path) -> list[bytes]:
    """Return what is in the visible files below a folder, without the reports, in no particular order."""
    files = (file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    return sorted(file.read_bytes() for file in files if not file.name.startswith("classify-sort-"))


def names(folder: Path) -> set[str]:
    """Return the files below a folder, without the reports."""
    files = (file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    return {name for name in files if not name.startswith("classify-sort-")}
