"""Pictures as 256 numbers: fitted, stored, compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from caption_service.model import embedding
from caption_service.model.embedding import EMBEDDING_FILE, EMBEDDING_SIZE, Projection
from caption_service.model.sight import VECTOR_SIZE, pool_regions
from caption_service.training.embedding import fit
from shared import contracts


@pytest.fixture(scope="module")
def projection() -> Projection:
    """A projection without a fit: directions at right angles to each other."""
    directions = np.zeros((VECTOR_SIZE, EMBEDDING_SIZE), np.float32)
    directions[np.arange(EMBEDDING_SIZE) * 16, np.arange(EMBEDDING_SIZE)] = 1.0
    return Projection(np.zeros(VECTOR_SIZE, np.float32), directions)


def test_the_wire_promises_as_many_numbers_as_the_model_gives() -> None:
    assert contracts.EMBEDDING_SIZE == embedding.EMBEDDING_SIZE


def test_an_embedding_has_length_one_even_of_nothing(projection: Projection) -> None:
    maps = np.abs(np.random.default_rng(0).normal(size=(3, 196, 512))).astype(np.float32)
    maps[2] = 0
    lengths = np.linalg.norm(projection.embed(maps), axis=1)
    np.testing.assert_allclose(lengths, [1.0, 1.0, 0.0], atol=1e-5)


def test_a_projection_survives_writing_in_half_precision(projection: Projection, tmp_path: Path) -> None:
    projection.write(tmp_path / EMBEDDING_FILE)
    assert (tmp_path / EMBEDDING_FILE).stat().st_size < 2.2e6
    maps = np.abs(np.random.default_rng(0).normal(size=(2, 196, 512))).astype(np.float32)
    np.testing.assert_allclose(
        Projection.read(tmp_path / EMBEDDING_FILE).embed(maps), projection.embed(maps), atol=1e-3
    )


def test_another_file_is_no_projection(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", mean=np.zeros(3))
    with pytest.raises(ValueError, match="lacks components"):
        Projection.read(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", mean=np.zeros(3), components=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="no projection of 4096"):
        Projection.read(tmp_path / "b.npz")


def test_a_fit_needs_more_images_than_numbers() -> None:
    with pytest.raises(ValueError, match="256 images are too few"):
        fit(np.ones((256, VECTOR_SIZE)))


def test_all_zero_maps_have_a_vector() -> None:
    assert pool_regions(np.zeros((1, 196, 512), np.float32)).shape == (1, VECTOR_SIZE)
