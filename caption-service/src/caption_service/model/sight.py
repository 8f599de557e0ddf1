"""What of a picture a decoder is given: VGG16's last map, or one vector of 4096 numbers.

Everything starts from the same map (block5_conv3, 14 x 14 x 512), so an image passes through the convolutions once,
whoever asks. Training and serving both import this module, so they cannot drift apart.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

FEATURE_SIZE = 512
"""Channels of VGG16's last convolution map."""

MAP_SIDE = 14
"""Cells along one side of that map."""

VECTOR_SIZE = 4096
"""Numbers of an image vector: VGG16's fc2, or 8 regions of 512 channels."""

REGIONS = "regions"
FC2 = "fc2"
SIGHTS = {"map14": (196, FEATURE_SIZE), "map7": (49, FEATURE_SIZE), REGIONS: (VECTOR_SIZE,), FC2: (VECTOR_SIZE,)}
"""Each sight's name and its shape for one picture."""

_FLAT_SIZE = 7 * 7 * FEATURE_SIZE


class DenseWeightsError(ValueError):
    """VGG16's dense layers are needed and cannot be had; the message is one sentence that says what to do."""


class DenseLayers:
    """VGG16's fc1 and fc2, which turn its last map into 4096 numbers (Simonyan and Zisserman, 2015, table 1)."""

    def __init__(self, weights_file: Path) -> None:
        """Read the two layers from Keras' `vgg16_weights_tf_dim_ordering_tf_kernels.h5`.

        Raises:
            DenseWeightsError: no such file, or it lacks the two layers.
        """
        import h5py  # type: ignore[import-untyped]  # noqa: PLC0415  # Keras brings it; only fc2 needs it

        if not weights_file.is_file():
            raise DenseWeightsError(f"there is no file {weights_file} with the weights of the full VGG16")
        try:
            with h5py.File(weights_file) as stored:
                layers = stored.get("model_weights", stored)
                self._layers = [_kernel_and_bias(layers[name]) for name in ("fc1", "fc2")]
        except (OSError, KeyError, ValueError) as error:
            raise DenseWeightsError(f"{weights_file} is no weights file of the full VGG16: {error}") from error
        (first, _), (second, _) = self._layers
        if first.shape[0] != _FLAT_SIZE or second.shape != (first.shape[1], VECTOR_SIZE):
            raise DenseWeightsError(f"{weights_file} is no weights file of the full VGG16: its layers differ in size")

    def __call__(self, maps: Floats) -> npt.NDArray[np.float32]:
        """Return fc2 after its ReLU, float32, (batch, 4096), not negative.

        Args:
            maps: VGG16's map after its last pooling, (batch, 49, 512).
        """
        vectors = maps.reshape(len(maps), _FLAT_SIZE).astype(np.float32)
        for kernel, bias in self._layers:
            vectors = np.maximum(vectors @ kernel + bias, 0)
        return vectors


def see(maps: Floats, sight: str, *, dense: DenseLayers | None = None) -> Floats:
    """Return what a decoder of that sight is given of each picture.

    Args:
        maps: VGG16's last map, (batch, 196, 512), its cells in reading order.
        sight: A name of SIGHTS.
        dense: VGG16's dense layers; only `fc2` needs them.

    Returns:
        (batch, *SIGHTS[sight]).

    Raises:
        DenseWeightsError: `fc2` without the dense layers.
        ValueError: no such sight.
    """
    if sight == "map14":
        return maps
    if sight == "map7":
        return halve(maps)
    if sight == REGIONS:
        return pool_regions(maps)
    if sight == FC2:
        if dense is None:
            raise DenseWeightsError("fc2 needs the weights file of the full VGG16")
        return dense(halve(maps))
    raise ValueError(f"sight {sight} is not one of {', '.join(SIGHTS)}")


def halve(maps: Floats) -> Floats:
    """Halve the map's sides as VGG16's last pooling does, (batch, 196, 512) to (batch, 49, 512)."""
    half = MAP_SIDE // 2
    blocks = np.asarray(maps).reshape(len(maps), half, 2, half, 2, FEATURE_SIZE)
    pooled: Floats = blocks.max(axis=(2, 4)).reshape(len(maps), half * half, FEATURE_SIZE)
    return pooled


def pool_regions(maps: Floats) -> npt.NDArray[np.float32]:
    """Pool the map over eight regions, (batch, 196, 512) to (batch, 4096), not negative.

    The regions are the whole picture's mean and its maximum, then the means of the top and the bottom half and of the
    four quadrants in reading order, 512 channels each.
    """
    half = MAP_SIDE // 2
    grid = np.asarray(maps, np.float32).reshape(len(maps), MAP_SIDE, MAP_SIDE, FEATURE_SIZE)
    quadrants = grid.reshape(len(maps), 2, half, 2, half, FEATURE_SIZE).mean(axis=(2, 4))  # (batch, 2, 2, 512)
    halves = quadrants.mean(axis=2)  # (batch, 2, 512)
    parts = [
        halves.mean(axis=1, keepdims=True),
        grid.max(axis=(1, 2))[:, None],
        halves,
        quadrants.reshape(len(maps), 4, FEATURE_SIZE),
    ]
    return np.concatenate(parts, axis=1).reshape(len(maps), VECTOR_SIZE)


def _kernel_and_bias(group: Any) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return a layer's matrix and vector, however the Keras that wrote them named them."""
    found: dict[int, npt.NDArray[np.float32]] = {}

    def keep(_: str, node: Any) -> None:
        if hasattr(node, "ndim"):  # a dataset, not a group
            found[node.ndim] = np.asarray(node, np.float32)

    group.visititems(keep)
    if set(found) != {1, 2}:
        raise ValueError(f"{group.name} has no kernel and bias")
    return found[2], found[1]
