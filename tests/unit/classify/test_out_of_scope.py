"""The drawn pictures that belong to no label."""

from __future__ import annotations

import numpy as np

from classify_service.training.out_of_scope import KINDS, draw_out_of_scope


def test_the_same_seed_draws_the_same_hundred_pictures() -> None:
    first, second = draw_out_of_scope(), draw_out_of_scope()
    assert sum(len(pictures) for pictures in first.values()) == 100
    for kind in KINDS:
        for one, other in zip(first[kind], second[kind], strict=True):
            assert (one == other).all(), kind


def test_pictures_are_rgb_of_many_sizes_and_none_is_like_another() -> None:
    pictures = [picture for drawn in draw_out_of_scope(count=3).values() for picture in drawn]
    for picture in pictures:
        assert picture.dtype == np.uint8
        assert picture.shape[2] == 3
        assert 256 <= min(picture.shape[:2]) <= max(picture.shape[:2]) <= 512
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)


def test_another_seed_draws_others() -> None:
    first, second = draw_out_of_scope(seed=1, count=1), draw_out_of_scope(seed=2, count=1)
    assert not any(np.array_equal(first[kind][0], second[kind][0]) for kind in KINDS)
