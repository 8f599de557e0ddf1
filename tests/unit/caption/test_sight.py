"""What of a picture a decoder is given, from VGG16's last map."""

from __future__ import annotations

from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from caption_service.model.sight import SIGHTS, DenseLayers, DenseWeightsError, halve, pool_regions, see


@pytest.fixture(scope="module")
def maps() -> np.ndarray:
    return np.abs(np.random.default_rng(4).normal(size=(2, 196, 512))).astype(np.float32)


@pytest.mark.parametrize("sight", ["map14", "map7", "regions"])
def test_each_sight_has_its_shape(maps: np.ndarray, sight: str) -> None:
    assert see(maps, sight).shape == (2, *SIGHTS[sight])


def test_halving_is_vgg16s_last_pooling(maps: np.ndarray) -> None:
    pooled = keras.layers.MaxPooling2D(2)(maps.reshape(2, 14, 14, 512))
    np.testing.assert_array_equal(halve(maps), np.asarray(pooled).reshape(2, 49, 512))


def test_the_eight_regions_are_where_they_should_be() -> None:
    """One bright cell at the bottom left shows in the whole, the bottom half and the third quadrant only."""
    grid = np.zeros((1, 14, 14, 512), np.float32)
    grid[0, 13, 0, 7] = 98.0
    regions = pool_regions(grid.reshape(1, 196, 512)).reshape(8, 512)
    assert regions[:, 7].tolist() == [0.5, 98.0, 0.0, 1.0, 0.0, 0.0, 2.0, 0.0]
    assert regions.sum() == regions[:, 7].sum()


def _write_weights(file: Path, *, outer: str = "", hidden: int = 3, numbers: int = 4096) -> None:
    """Write fc1 and fc2 as the Keras of VGG16's days did, with few numbers between them."""
    random = np.random.default_rng(0)
    with h5py.File(file, "w") as stored:
        for name, shape in (("fc1", (25088, hidden)), ("fc2", (hidden, numbers))):
            group = stored.create_group(f"{outer}{name}")
            group[f"{name}_W_1:0"] = random.normal(size=shape).astype(np.float32)
            group[f"{name}_b_1:0"] = random.normal(size=shape[1]).astype(np.float32)


@pytest.mark.parametrize("outer", ["", "model_weights/"])
def test_fc2_is_what_keras_own_layers_give(maps: np.ndarray, tmp_path: Path, outer: str) -> None:
    _write_weights(tmp_path / "w.h5", outer=outer)
    layers = [keras.layers.Dense(3, activation="relu"), keras.layers.Dense(4096, activation="relu")]
    network = keras.Sequential(
        [keras.Input((14, 14, 512)), keras.layers.MaxPooling2D(2), keras.layers.Flatten(), *layers]
    )
    with h5py.File(tmp_path / "w.h5") as stored:
        for name, layer in zip(("fc1", "fc2"), layers, strict=True):
            layer.set_weights([stored[f"{outer}{name}/{name}_{part}_1:0"][:] for part in "Wb"])

    seen = see(maps, "fc2", dense=DenseLayers(tmp_path / "w.h5"))

    np.testing.assert_allclose(seen, network(maps.reshape(2, 14, 14, 512)), rtol=1e-3, atol=1e-2)


def test_a_file_that_is_not_the_full_vgg16_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("hello")
    _write_weights(tmp_path / "small.h5", numbers=10)
    with h5py.File(tmp_path / "empty.h5", "w"):
        pass
    for name, words in (
        ("none.h5", "there is no file"),
        ("text.h5", "no weights file"),
        ("small.h5", "differ in size"),
        ("empty.h5", "fc1"),
    ):
        with pytest.raises(DenseWeightsError, match=words) as caught:
            DenseLayers(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_fc2_without_dense_layers_says_what_it_needs(maps: np.ndarray) -> None:
    with pytest.raises(DenseWeightsError, match="full VGG16"):
        see(maps, "fc2")
