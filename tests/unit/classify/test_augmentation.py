"""Changed pictures: repeatable, never too small or too large, and without regard to the label."""

from __future__ import annotations

import numpy as np
import pytest

from classify_service.training.augmentation import augment, unsquash


@pytest.mark.parametrize(("height", "width"), [(512, 340), (96, 512), (128, 128), (300, 96)])
def test_an_augmented_picture_is_still_one(height: int, width: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    for seed in range(40):
        changed = augment(picture, np.random.default_rng(seed))
        assert changed.dtype == np.uint8
        assert changed.ndim == 3
        assert min(changed.shape[:2]) >= 64
        assert max(changed.shape[:2]) <= 660


def test_the_same_seed_gives_the_same_picture_and_another_another() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    first, again, other = (augment(picture, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_squashed_square_gets_the_shapes_that_cameras_give() -> None:
    square = np.zeros((224, 224, 3), dtype=np.uint8)
    shapes = [unsquash(square, np.random.default_rng(seed)).shape for seed in range(60)]
    aspects = {round(width / height, 1) for height, width, _ in shapes}
    assert {0.7, 0.8, 1.0, 1.3, 1.5, 1.8} <= aspects
    assert max(max(shape) for shape in shapes) <= 512
