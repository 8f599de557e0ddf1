"""Drawn pictures: the same seed draws the same, every layout has words in it, and a camera keeps a page a page."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from classify_service.training.drawing import camera, draw, surfaces
from classify_service.training.drawing.browser import NoBrowser, find_chromium
from classify_service.training.drawing.catalogue import DRAWN_LABELS, layouts
from classify_service.training.drawing.fonts import installed
from classify_service.training.drawing.handwriting import HAND_FONTS
from classify_service.training.drawing.markup import Markup

CATALOGUE = layouts([], HAND_FONTS)
MARKED_UP = [
    (label, name)
    for label in DRAWN_LABELS
    for name in CATALOGUE[label]
    if label != "chart" and name not in surfaces.LAYOUTS
]


def _page() -> np.ndarray:
    """Return a white sheet with twenty lines of black words."""
    page = np.full((560, 400, 3), 255, np.uint8)
    for line in range(20):
        cv2.putText(page, "the theorem of the day", (30, 40 + line * 25), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2)
    return page


def test_every_drawn_label_has_layouts() -> None:
    assert set(CATALOGUE) == set(DRAWN_LABELS)
    assert all(len(CATALOGUE[label]) >= 4 for label in DRAWN_LABELS)


@pytest.mark.parametrize(("label", "name"), MARKED_UP)
def test_a_seed_lays_out_the_same_picture_again_and_another_seed_another(label: str, name: str) -> None:
    def laid_out(seed: int) -> Markup:
        drawn = CATALOGUE[label][name](np.random.default_rng(seed))
        assert isinstance(drawn, Markup)
        return drawn

    assert laid_out(3) == laid_out(3)
    assert len({laid_out(seed).html for seed in range(6)}) > 1
    assert all(64 <= side <= 2000 for side in (laid_out(3).width_px, laid_out(3).height_px))


@pytest.mark.parametrize("name", surfaces.LAYOUTS)
def test_a_surface_is_the_same_picture_again(name: str) -> None:
    drawn = surfaces.LAYOUTS[name](np.random.default_rng(4))
    assert drawn.dtype == np.uint8
    assert drawn.ndim == 3
    assert drawn.shape[2] == 3
    assert np.array_equal(drawn, surfaces.LAYOUTS[name](np.random.default_rng(4)))
    assert drawn.std() > 1


def test_matplotlib_draws_each_kind_of_chart() -> None:
    for name, layout in CATALOGUE["chart"].items():
        drawn = layout(np.random.default_rng(2))
        if isinstance(drawn, Markup):
            assert name.startswith("infographic")
        else:
            assert drawn.shape[2] == 3
            assert drawn.std() > 5, name


@pytest.mark.parametrize("way", [camera.scanned, camera.copied, camera.photographed])
def test_a_page_in_front_of_a_camera_is_changed_and_still_has_its_lines(way: camera.Way) -> None:
    page = _page()
    for seed in range(6):
        seen = way(page, np.random.default_rng(seed))
        assert seen.dtype == np.uint8
        assert np.array_equal(seen, way(page, np.random.default_rng(seed)))
        assert seen.shape != page.shape or np.abs(seen.astype(int) - page).mean() > 0.5
        grey = cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY)
        ink = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, np.ones((9, 9), np.uint8))
        assert (ink > 40).mean() > 0.03, (way.__name__, seed)


def test_two_of_five_pages_stay_as_printed() -> None:
    page = _page()
    kept = sum(camera.as_found(page, np.random.default_rng(seed)) is page for seed in range(60))
    assert 14 < kept < 34


def test_the_table_names_each_picture_with_its_layout_and_lets_none_be_judged(tmp_path: Path) -> None:
    for name in ("circular/notice-again-1-0003.jpg", "circular/mine.jpg", "meme/impact-0-12-0000.jpg"):
        file = tmp_path / "labelled" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 64)).save(file)
    draw.write_sources(tmp_path)
    with (tmp_path / draw.SOURCES_NAME).open(newline="", encoding="utf-8") as table:
        rows = [tuple(row.values()) for row in csv.DictReader(table)]
    assert rows == [
        ("circular/notice-again-1-0003.jpg", "circular", "drawn-circular-notice-again", "no"),
        ("meme/impact-0-12-0000.jpg", "meme", "drawn-meme-impact-0", "no"),
    ]


def test_without_a_chromium_one_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoBrowser, match="apt-get install chromium"):
        find_chromium()


def test_handwriting_without_its_fonts_is_left_out_or_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installed(HAND_FONTS) == ()
    with pytest.raises(SystemExit, match="handwritten_note needs 4 handwriting fonts or more, and 0 of those"):
        draw.main([str(tmp_path / "out"), "--label", "handwritten_note"])
    with pytest.raises(SystemExit, match="no Chromium"):
        draw.main([str(tmp_path / "out")])
    assert "it is left out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--count", "0"], "at least 1, not 0"),
        (["--seed", "-1"], "0 or more, not -1"),
        (["--label", "selfie"], "invalid choice: 'selfie'"),
        (["--photos", "nowhere"], "--photos nowhere has no *.jpg in it"),
        (["--chromium", "no-browser"], "the browser failed: "),
    ],
)
def test_a_wrong_option_is_told_in_one_sentence(arguments: list[str], told: str, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "classify_service.training.drawing.draw", "out", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode != 0
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not list((tmp_path / "out").rglob("*.jpg"))
