from __future__ import annotations

import pytest

from storage_service.vectors import distances, from_bytes, to_bytes
from tests.unit.storage.embedded import directions, towards


def test_a_distance_survives_rounding_to_bytes() -> None:
    one, other = directions(2)
    for share in (0.0, 0.01, 0.1, 0.5, 1.0):
        between = towards(one, other, share)
        exact = 1 - float(one @ between)
        kept = from_bytes(to_bytes(one) or b"", to_bytes(between) or b"")
        assert distances(kept[0], kept[1:])[0] == pytest.approx(exact, abs=2e-3)


def test_an_embedding_takes_256_bytes_whatever_its_length() -> None:
    one = directions(1)[0]
    assert len(to_bytes(one) or b"") == 256
    assert to_bytes(one) == to_bytes(one * 1e-6)


def test_equal_vectors_have_no_distance_and_opposite_ones_the_largest() -> None:
    one = directions(1)[0]
    kept = from_bytes(to_bytes(one) or b"", to_bytes(-one) or b"")
    assert distances(kept[0], kept) == [0.0, 2.0]


def test_a_vector_that_points_nowhere_is_not_kept() -> None:
    assert to_bytes([0.0] * 256) is None
