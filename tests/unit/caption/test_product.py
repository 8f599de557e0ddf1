"""Products of rows and weights: whatever their number, what comes out is what NumPy makes of the definition."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from caption_service.model.product import Product

RANDOM = np.random.default_rng(0)


def _halves(*shape: int) -> np.ndarray:
    """Return numbers that half precision holds."""
    return RANDOM.normal(0, 0.1, shape).astype(np.float16).astype(np.float32)


@pytest.mark.parametrize("columns", [1, 16, 21])
def test_each_number_of_rows_is_computed(columns: int) -> None:
    kernel, bias = _halves(24, columns), RANDOM.normal(size=columns).astype(np.float32)
    product = Product(kernel, bias)
    for count in range(1, 20):
        rows = RANDOM.normal(size=(count, 24)).astype(np.float32)
        expected = rows.astype(np.float64) @ kernel + bias
        np.testing.assert_allclose(product(rows), expected, atol=1e-5)


def test_without_a_bias_nothing_is_added() -> None:
    assert not Product(_halves(8, 5))(np.zeros((3, 8), np.float32)).any()


@pytest.mark.parametrize("weight", [1.0 + 2**-20, 1e6])
def test_weights_that_half_precision_does_not_hold_are_not_rounded(weight: float) -> None:
    found = Product(np.full((1, 1), weight, np.float32))(np.ones((1, 1), np.float32))
    assert found[0, 0] == np.float32(weight)


def test_what_goes_in_is_not_rounded() -> None:
    rows = np.array([[1.0 + 2**-20]] * 8, np.float32)
    assert (Product(np.ones((1, 16), np.float32))(rows) == rows).all()


def test_a_part_of_a_larger_array_is_read_right() -> None:
    kernel, whole = _halves(6, 4), RANDOM.normal(size=(9, 20)).astype(np.float32)
    np.testing.assert_allclose(Product(kernel)(whole[:, 3:9]), whole[:, 3:9] @ kernel, atol=1e-5)


def test_threads_may_share_a_product() -> None:
    product, batches = Product(_halves(64, 48)), [RANDOM.normal(size=(9, 64)).astype(np.float32) for _ in range(16)]
    alone = [product(rows) for rows in batches]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(product, batches))
    np.testing.assert_array_equal(together, alone)
