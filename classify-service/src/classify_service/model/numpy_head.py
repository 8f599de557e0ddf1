"""The same head as `head`, computed by NumPy: so few multiplications need no graph and no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classify_service.model.head_sizes import SCALE_LIMIT, HeadSizes
from classify_service.model.narrowed_vgg16 import REGION_SIDE, REGION_SIZE

Floats = npt.NDArray[np.float32]
REGIONS = REGION_SIDE**2


@dataclass(frozen=True)
class Thought:
    """What a head makes of pictures on the way to their logits, each (pictures, ...)."""

    unlimited_regions: Floats
    """(pictures, 9, 3584), scaled."""
    unlimited_mean: Floats
    """(pictures, 3584), scaled."""
    mixed: Floats
    """(pictures, 9 * layout)."""
    joined: Floats
    """What the three branches say, (pictures, anywhere + 9 * layout + measured)."""
    joint: Floats
    logits: Floats
    """(pictures, outputs)."""


class NumpyHead:
    """A trained head; see `head.build_head`."""

    def __init__(self, stored: Mapping[str, npt.NDArray[np.generic]], *, prefix: str, sizes: HeadSizes) -> None:
        """Take the weights.

        Args:
            stored: `<prefix>/<layer>/kernel`, `bias`, `offset` and `factor`, as `saving.save` writes them.
            prefix: The head's.
            sizes: Its widths.

        Raises:
            ValueError: one is missing or has another shape.
        """

        def weights(name: str, *shape: int) -> Floats:
            path = f"{prefix}/{name}"
            if path not in stored:
                raise ValueError(f"the weights lack {path}")
            if stored[path].shape != shape:
                raise ValueError(f"{path} has shape {stored[path].shape}, but {shape} is needed")
            return stored[path].astype(np.float32)

        def dense(name: str, before: int, after: int) -> tuple[Floats, Floats]:
            return weights(f"{name}/kernel", before, after), weights(f"{name}/bias", after)

        def scale(name: str, size: int) -> tuple[Floats, Floats]:
            return weights(f"{name}/offset", size), weights(f"{name}/factor", size)

        self.region_scale = scale("region_scale", REGION_SIZE)
        self.anywhere_scale = scale("anywhere_scale", REGION_SIZE)
        self.feature_scale = scale("feature_scale", sizes.features)
        self.anywhere = dense("anywhere", REGION_SIZE, sizes.anywhere)
        mix = weights("layout_mix/kernel", 1, 1, REGION_SIZE, sizes.layout)
        self.layout_mix = mix[0, 0], weights("layout_mix/bias", sizes.layout)
        kernel = weights("layout_conv/kernel", 3, 3, sizes.layout, sizes.layout)
        self.layout_conv = _matrix_of(kernel), np.tile(weights("layout_conv/bias", sizes.layout), REGIONS)
        self.measured = dense("measured", sizes.features, sizes.measured)
        self.joint = dense("joint", sizes.anywhere + REGIONS * sizes.layout + sizes.measured, sizes.joint)
        self.outputs = dense("logits", sizes.joint, sizes.outputs)
        self.linear = weights("linear/kernel", REGION_SIZE + sizes.features, sizes.outputs)

    def think(self, regions: Floats, features: Floats) -> Thought:
        """Return the logits, and what led to them.

        Args:
            regions: (pictures, 3, 3, 3584), or (1, 3, 3, 3584) where all pictures have the same.
            features: (pictures, features), as measured.
        """
        pictures = len(features)
        unlimited_regions = _scaled(regions.reshape(len(regions), REGIONS, REGION_SIZE), self.region_scale)
        mixed = _relu(_limited(unlimited_regions), self.layout_mix).reshape(len(regions), -1)
        layout = _relu(mixed, self.layout_conv)
        unlimited_mean = _scaled(regions.mean(axis=(1, 2)), self.anywhere_scale)
        occurring = _limited(unlimited_mean)
        anywhere = _relu(occurring, self.anywhere)
        measured = _limited(_scaled(features, self.feature_scale))
        joined = np.concatenate(
            [_repeated(anywhere, pictures), _repeated(layout, pictures), _relu(measured, self.measured)], axis=1
        )
        joint = _relu(joined, self.joint)
        kernel, bias = self.outputs
        linear = occurring @ self.linear[:REGION_SIZE] + measured @ self.linear[REGION_SIZE:]
        return Thought(unlimited_regions, unlimited_mean, mixed, joined, joint, joint @ kernel + bias + linear)

    def slopes(self, thought: Thought, output: int) -> Floats:
        """Return by how much a logit of the first picture grows with each number of its regions, (3, 3, 3584)."""
        outputs, joint = self.outputs[0], self.joint[0]
        by_joined = joint @ (outputs[:, output] * (thought.joint[0] > 0)) * (thought.joined[0] > 0)
        anywhere, layout = self.anywhere[0].shape[1], self.layout_conv[0].shape[1]
        by_occurring = self.anywhere[0] @ by_joined[:anywhere] + self.linear[:REGION_SIZE, output]
        by_mean = by_occurring * _is_within(thought.unlimited_mean[0]) * self.anywhere_scale[1]
        by_mixed = self.layout_conv[0] @ by_joined[anywhere : anywhere + layout] * (thought.mixed[0] > 0)
        by_scaled = by_mixed.reshape(REGIONS, -1) @ self.layout_mix[0].T * _is_within(thought.unlimited_regions[0])
        slopes: Floats = by_scaled * self.region_scale[1] + by_mean / REGIONS
        return slopes.reshape(REGION_SIDE, REGION_SIDE, REGION_SIZE)


def _matrix_of(kernel: Floats) -> Floats:
    """Return a convolution of 3 x 3 over the 3 x 3 regions as one matrix, (9 * channels before, 9 * channels)."""
    before, after = kernel.shape[2:]
    matrix = np.zeros((REGION_SIDE, REGION_SIDE, before, REGION_SIDE, REGION_SIDE, after), np.float32)
    for row, column in np.ndindex(REGION_SIDE, REGION_SIDE):  # of what comes out
        for from_row, from_column in np.ndindex(REGION_SIDE, REGION_SIDE):
            down, right = from_row - row + 1, from_column - column + 1
            if 0 <= down < REGION_SIDE and 0 <= right < REGION_SIDE:
                matrix[from_row, from_column, :, row, column] = kernel[down, right]
    return matrix.reshape(REGIONS * before, REGIONS * after)


def _scaled(values: Floats, scale: tuple[Floats, Floats]) -> Floats:
    offset, factor = scale
    return (values - offset) * factor


def _limited(scaled: Floats) -> Floats:
    return np.clip(scaled, -SCALE_LIMIT, SCALE_LIMIT)


def _is_within(scaled: Floats) -> npt.NDArray[np.bool_]:
    return np.abs(scaled) <= SCALE_LIMIT


def _relu(values: Floats, layer: tuple[Floats, Floats]) -> Floats:
    kernel, bias = layer
    active: Floats = np.maximum(values @ kernel + bias, 0)
    return active


def _repeated(rows: Floats, pictures: int) -> Floats:
    return np.broadcast_to(rows, (pictures, rows.shape[1]))
