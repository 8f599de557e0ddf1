"""The picture of what the model looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from caption_service.model.description import Look
from caption_service.training.explain import DARKEST, draw_looks, lit


def test_what_is_looked_at_stays_bright_and_the_rest_darkens() -> None:
    white = np.full((224, 224, 3), 255, np.uint8)
    weights = np.zeros((14, 14), np.float32)
    weights[2:5, 2:5] = 1 / 9
    shown = lit(white, weights)
    assert shown[56, 56].min() > 240
    np.testing.assert_allclose(shown[200, 200], 255 * DARKEST, atol=1)


def test_an_even_look_darkens_all_alike() -> None:
    shown = lit(np.full((224, 224, 3), 200, np.uint8), np.full((14, 14), 1 / 196, np.float32))
    assert len(np.unique(shown)) == 1


def test_every_word_has_its_panel(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).dirichlet(np.ones(196)).reshape(14, 14).astype(np.float32)
    picture = np.full((224, 224, 3), 255, np.uint8)
    few, many = tmp_path / "few.png", tmp_path / "many.png"
    draw_looks(picture, [Look("a", weights)], few)
    draw_looks(picture, [Look(word, weights) for word in "abcdefg"], many)
    with Image.open(few) as one_row, Image.open(many) as two_rows:
        assert two_rows.height == 2 * one_row.height
        dark = (np.asarray(two_rows.convert("L")) < 120).mean()
    assert dark > 0.1  # seven darkened panels
