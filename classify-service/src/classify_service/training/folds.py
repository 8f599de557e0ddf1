"""Split examples so that no source stands on both sides.

Every label keeps sources to learn from in each fold; one that comes from a single source is split picture by picture.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from classify_service.training.dataset import Example


def assign_folds(examples: Sequence[Example], *, count: int, seed: int) -> npt.NDArray[np.int64]:
    """Return the fold of each example, 0 to count - 1.

    Sources are dealt out from the largest to the smallest, each to the fold that has the least of its labels so far,
    so that the folds come out even label by label. Where every picture is its own source, this is a stratified
    random split.
    """
    rng = np.random.default_rng(seed)
    sources = _dealable_sources(examples)
    labels_of: dict[str, Counter[str]] = defaultdict(Counter)
    for example, source in zip(examples, sources, strict=True):
        labels_of[source][example.label] += 1
    totals = Counter(example.label for example in examples)
    dealt: list[Counter[str]] = [Counter() for _ in range(count)]
    fold_of = {}
    shuffled = [sorted(labels_of)[at] for at in rng.permutation(len(labels_of))]
    for source in sorted(shuffled, key=lambda name: -_weight(labels_of[name], totals)):
        filling = [sum(fold[label] / totals[label] * n for label, n in labels_of[source].items()) for fold in dealt]
        best = min(range(count), key=lambda at: (filling[at], sum(dealt[at].values())))
        fold_of[source] = best
        dealt[best].update(labels_of[source])
    return np.array([fold_of[source] for source in sources])


def _weight(labels: Counter[str], totals: Counter[str]) -> float:
    return max(n / totals[label] for label, n in labels.items())


def _dealable_sources(examples: Sequence[Example]) -> list[str]:
    """Name each example's source, taking apart those that are a label's only one."""
    sources_of: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        sources_of[example.label].add(example.source)
    return [
        example.source if len(sources_of[example.label]) > 1 else f"{example.source}\0{example.name}"
        for example in examples
    ]
