"""The classifier's network by ncnn or OpenVINO, and NumPy: what serves on a processor, without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from classify_service.model.backends import Computing
from classify_service.model.explanation import (
    Evidence,
    Floats,
    each_as_usual,
    grad_cam,
    lost_log_odds,
    reasons,
)
from classify_service.model.head_sizes import HeadSizes
from classify_service.model.narrowed_vgg16 import GRID_SIDE, REGION_SIDE
from classify_service.model.numpy_head import NumpyHead
from classify_service.model.processor_eye import ProcessorEye, regions_of


class ProcessorNetwork:
    """An eye and the heads that vote over it; the same as `keras_network.KerasNetwork`."""

    def __init__(
        self,
        stored: Mapping[str, npt.NDArray[np.generic]],
        *,
        input_side_px: int,
        heads: int,
        sizes: HeadSizes,
        computing: Computing,
    ) -> None:
        """Build the network from an artifact's weights.

        Raises:
            ValueError: one is missing or has another shape.
        """
        self.input_side_px = input_side_px
        self._eye = ProcessorEye(stored, input_side_px=input_side_px, computing=computing)
        self._heads = [NumpyHead(stored, prefix=f"head_{number}", sizes=sizes) for number in range(heads)]

    def logits(self, pixels: Floats, features: Floats) -> Floats:
        """Return the logits of pictures; see `classifier.Network`."""
        regions = np.stack([regions_of(self._eye.cells(each)) for each in pixels])
        return self._mean([head.think(regions, features).logits for head in self._heads])

    def explain(self, pixels: Floats, features: Floats, *, labels: int, temperature: float) -> Evidence:
        """Return what speaks for the best label; see `classifier.Network`."""
        cells = self._eye.cells(pixels)  # (9, 9, 3584)
        regions = regions_of(cells)[None]
        thoughts = [head.think(regions, features[None]) for head in self._heads]
        logits = self._mean([thought.logits for thought in thoughts])[0]
        best = int(np.argmax(logits[:labels]))
        by_regions = self._mean(
            [head.slopes(thought, best) for head, thought in zip(self._heads, thoughts, strict=True)]
        )
        offset, factor = self._heads[0].feature_scale
        rows = each_as_usual(features, offset)
        as_usual = self._mean([head.think(regions, rows).logits for head in self._heads])
        weights = lost_log_odds(as_usual, best, temperature)
        return Evidence(
            logits=logits,
            heat_map=grad_cam(cells, _by_cells(by_regions)),
            reasons=reasons(features, weights, usual=offset, factor=factor),
        )

    @staticmethod
    def _mean(votes: list[Floats]) -> Floats:
        mean: Floats = np.mean(votes, axis=0, dtype=np.float32)
        return mean


def _by_cells(by_regions: Floats) -> Floats:
    """Share the slope by a region's mean among its cells."""
    side = GRID_SIDE // REGION_SIDE
    shares: Floats = by_regions.repeat(side, axis=0).repeat(side, axis=1) / np.float32(side**2)
    return shares
