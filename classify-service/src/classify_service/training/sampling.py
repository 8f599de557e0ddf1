"""Batches in which no label drowns the others, and no source of a label the other sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import keras
import numpy as np
import numpy.typing as npt

from classify_service.training.dataset import Example
from classify_service.training.views import Features, Regions

LABEL_POWER = 0.5
"""A label of n pictures is drawn n ** LABEL_POWER times as often as one of a single picture."""

SOURCE_POWER = 0.5
"""The same for the sources of one label."""


def draw_shares(examples: Sequence[Example]) -> npt.NDArray[np.float64]:
    """Return how often each example is drawn, as shares that sum to 1."""
    sources = Counter((example.label, example.source) for example in examples)
    labels = Counter(example.label for example in examples)
    raw = np.array([sources[example.label, example.source] ** (SOURCE_POWER - 1) for example in examples])
    sums: Counter[str] = Counter()
    for example, share in zip(examples, raw, strict=True):
        sums[example.label] += share
    total = sum(count**LABEL_POWER for count in labels.values())
    of_label = np.array([labels[example.label] ** LABEL_POWER / sums[example.label] for example in examples])
    shares: npt.NDArray[np.float64] = raw * of_label / total
    return shares


class BalancedBatches(keras.utils.PyDataset):
    """Endless draws from the views of some examples, mixed in pairs."""

    def __init__(
        self,
        examples: Sequence[Example],
        chosen: npt.NDArray[np.int64],
        *,
        regions: Sequence[Regions],
        features: Sequence[Features],
        labels: tuple[str, ...],
        batch_size: int,
        mix: float,
        seed: int,
    ) -> None:
        """Draw from `examples[chosen]`; `regions` and `features` hold one array for each view of all examples.

        Args:
            examples: All examples.
            chosen: Indices of those that may be drawn.
            regions: See `views.cached_regions`.
            features: See `views.cached_features`.
            labels: The labels' names, in the order of the targets.
            batch_size: Examples a batch.
            mix: Parameter of the beta distribution that mixes each example with another (Zhang et al., 2018,
                arXiv:1710.09412); 0 mixes nothing.
            seed: Seed of the draws.
        """
        super().__init__()
        self._chosen = chosen
        self._shares = draw_shares([examples[at] for at in chosen])
        self._targets = np.eye(len(labels), dtype=np.float32)[[labels.index(e.label) for e in examples]]
        self._regions, self._features = regions, features
        self._batch_size, self._mix = batch_size, mix
        self._rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        return max(1, len(self._chosen) // self._batch_size)

    def __getitem__(self, _: int) -> tuple[tuple[npt.NDArray[np.float32], ...], npt.NDArray[np.float32]]:
        regions, features, targets = self._draw()
        if self._mix > 0:
            share = self._rng.beta(self._mix, self._mix, len(targets)).astype(np.float32)
            share = np.maximum(share, 1 - share)
            other = self._rng.permutation(len(targets))
            regions = _mix(regions, other, share)
            features = _mix(features, other, share)
            targets = _mix(targets, other, share)
        return (regions, features), targets

    def _draw(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        drawn = self._rng.choice(self._chosen, self._batch_size, p=self._shares)
        views = self._rng.integers(0, len(self._regions), self._batch_size)
        regions = np.stack([self._regions[v][at] for v, at in zip(views, drawn, strict=True)]).astype(np.float32)
        features = np.stack([self._features[v][at] for v, at in zip(views, drawn, strict=True)])
        return regions, features, self._targets[drawn]


def _mix(
    values: npt.NDArray[np.float32], other: npt.NDArray[np.int64], share: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    weight = share.reshape(-1, *[1] * (values.ndim - 1))
    mixed: npt.NDArray[np.float32] = values * weight + values[other] * (1 - weight)
    return mixed
