"""Split examples so that no source stands on both sides: to judge a recipe, and to know when a head should stop.

Every label keeps sources to learn from in each fold; one that comes from a single source is split picture by picture.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from classify_service.training.dataset import Example

LEARNT_IN_EVERY_FOLD = -1


def assign_folds(examples: Sequence[Example], *, count: int, seed: int) -> npt.NDArray[np.int64]:
    """Return the fold of each example, 0 to count - 1; -1 where the figures count nothing of its source.

    Sources are dealt out from the largest to the smallest, each to the fold that has the least of its labels so far,
    so that the folds come out even label by label. Where every picture is its own source, this is a stratified
    random split.
    """
    rng = np.random.default_rng(seed)
    sources = _dealable_sources(examples)
    judged = {source for example, source in zip(examples, sources, strict=True) if example.judged}
    labels_of: dict[str, Counter[str]] = defaultdict(Counter)
    for example, source in zip(examples, sources, strict=True):
        if source in judged:
            labels_of[source][example.label] += 1
    totals: Counter[str] = sum(labels_of.values(), Counter())
    dealt: list[Counter[str]] = [Counter() for _ in range(count)]
    fold_of = {}
    shuffled = [sorted(labels_of)[at] for at in rng.permutation(len(labels_of))]
    for source in sorted(shuffled, key=lambda name: -_weight(labels_of[name], totals)):
        filling = [sum(fold[label] / totals[label] * n for label, n in labels_of[source].items()) for fold in dealt]
        best = min(range(count), key=lambda at: (filling[at], sum(dealt[at].values())))
        fold_of[source] = best
        dealt[best].update(labels_of[source])
    return np.array([fold_of.get(source, LEARNT_IN_EVERY_FOLD) for source in sources])


def hold_back(
    examples: Sequence[Example], chosen: npt.NDArray[np.int64], *, one_in: int, seed: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Split `chosen`, indices of examples, into those to learn from and those to watch while learning.

    No source is on both sides. Examples that are not judged are never watched.

    Args:
        examples: All examples.
        chosen: Indices of those that may be learnt from.
        one_in: One in so many is watched; 0 watches none.
        seed: Seed of the split.
    """
    if one_in == 0:
        return chosen, np.array([], dtype=np.int64)
    fold_of = assign_folds([examples[at] for at in chosen], count=one_in, seed=seed)
    judged = np.array([examples[at].judged for at in chosen])
    return chosen[fold_of != 0], chosen[(fold_of == 0) & judged]


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
