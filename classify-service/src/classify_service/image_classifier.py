"""What the service asks of a classifier; `model.classifier.Classifier` is the real one, which is slow to import."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt


class LabelScore(Protocol):
    """A label and its probability."""

    @property
    def label(self) -> str: ...  # noqa: D102
    @property
    def confidence(self) -> float: ...  # noqa: D102


class LabelReason(Protocol):
    """A measured feature that speaks for a label; see `model.explanation.Reason`."""

    @property
    def feature(self) -> str: ...  # noqa: D102
    @property
    def value(self) -> float: ...  # noqa: D102
    @property
    def usual(self) -> float: ...  # noqa: D102
    @property
    def weight(self) -> float: ...  # noqa: D102
    @property
    def words(self) -> str: ...  # noqa: D102


class LabelExplanation(Protocol):
    """Scores, and what speaks for the best one."""

    @property
    def scores(self) -> Sequence[LabelScore]: ...  # noqa: D102
    @property
    def reasons(self) -> Sequence[LabelReason]: ...  # noqa: D102
    @property
    def heat_map(self) -> npt.NDArray[np.float32]: ...  # noqa: D102


class ImageClassifier(Protocol):
    """What turns encoded images into scores."""

    def look_at(self, source: bytes) -> Any:
        """Decode and measure an image, for the methods below, or raise UnreadableImage."""

    def scores_of_all(self, seen: Sequence[Any]) -> Sequence[Sequence[LabelScore]]:
        """Return every label of each image, best first; raise MemoryError where they are too many."""

    def explain_seen(self, seen: Any) -> LabelExplanation:
        """Return the same scores and what speaks for the best one."""

    def is_sure_of(self, label: str, confidence: float) -> bool:
        """Whether a label that is the best, with this confidence, is given."""
