"""One picture in, every label's probability out: features, a network, and how far its word is trusted.

TensorFlow comes in only with a `keras_network.KerasNetwork`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from classify_service.model.explanation import Evidence, Floats, Reason
from classify_service.model.features import measure
from classify_service.model.preprocessing import Picture, network_input, read_picture

WARM_UP_SIDE_PX = 64


@dataclass(frozen=True)
class Judgement:
    """What was decided from held-out sources after training."""

    temperature: float
    """Logits are divided by this before the softmax, so that confidences are shares of right answers."""
    thresholds: tuple[float, ...]
    """For each label, in the order of the classifier's labels: with less confidence it is not given."""


@dataclass(frozen=True)
class Score:
    """A label and its probability."""

    label: str
    confidence: float


@dataclass(frozen=True)
class Explanation:
    """Scores, and what speaks for the best one; see `explanation.Evidence`."""

    scores: list[Score]
    heat_map: Floats
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Seen:
    """A picture as the network takes it."""

    pixels: Floats
    """See `preprocessing.network_input`."""
    features: Floats
    """See `features.measure`."""


class Network(Protocol):
    """What turns pixels and features into logits, by whatever library."""

    @property
    def input_side_px(self) -> int:
        """Side of the square that it takes."""

    def logits(self, pixels: Floats, features: Floats) -> Floats:
        """Return (pictures, outputs).

        Args:
            pixels: (pictures, side, side, 3); see `preprocessing.network_input`.
            features: (pictures, features); see `features.measure`.

        Raises:
            MemoryError: they are too many.
        """

    def explain(self, pixels: Floats, features: Floats, *, labels: int, temperature: float) -> Evidence:
        """Return what speaks for the best label of one picture.

        Args:
            pixels: (side, side, 3).
            features: (features,).
            labels: How many of the logits are labels: the first ones.
            temperature: Of the classifier's judgement.
        """


class Classifier:
    """A trained network with its labels.

    A network that has learnt what belongs to none of them has one output more than there are labels, the last one.
    """

    def __init__(self, *, network: Network, labels: tuple[str, ...], judgement: Judgement) -> None:
        self.labels = labels
        self.judgement = judgement
        self.network = network

    @property
    def input_side_px(self) -> int:
        """Side of the square that pictures are squashed to."""
        return self.network.input_side_px

    def scores(self, picture: Picture) -> list[Score]:
        """Return every label with its probability, best first.

        The probabilities sum to 1, or to less where the network has learnt what belongs to no label: the rest is the
        probability of that.

        Args:
            picture: See `preprocessing.read_picture`.
        """
        return self.scores_of_all([self._see(picture)])[0]

    def look_at(self, source: bytes | Path) -> Seen:
        """Decode and measure an encoded image.

        Raises:
            UnreadableImage: see `preprocessing.read_picture`.
        """
        return self._see(read_picture(source))

    def scores_of_all(self, seen: Sequence[Seen]) -> list[list[Score]]:
        """Return the scores of each picture; the network runs once for all.

        Raises:
            MemoryError: they are too many.
        """
        pixels = np.stack([each.pixels for each in seen])
        features = np.stack([each.features for each in seen])
        return [self._ranked(row) for row in self.network.logits(pixels, features)]

    def scores_of_file(self, source: bytes | Path) -> list[Score]:
        """Return the scores of an encoded image.

        Raises:
            UnreadableImage: see `preprocessing.read_picture`.
        """
        return self.scores_of_all([self.look_at(source)])[0]

    def explain(self, picture: Picture) -> Explanation:
        """Return every label with its probability, and what speaks for the best one."""
        return self.explain_seen(self._see(picture))

    def explain_seen(self, seen: Seen) -> Explanation:
        """Return what `explain` returns."""
        evidence = self.network.explain(
            seen.pixels, seen.features, labels=len(self.labels), temperature=self.judgement.temperature
        )
        return Explanation(self._ranked(evidence.logits), evidence.heat_map, evidence.reasons)

    def explain_file(self, source: bytes | Path) -> Explanation:
        """Return the explanation of an encoded image.

        Raises:
            UnreadableImage: see `preprocessing.read_picture`.
        """
        return self.explain_seen(self.look_at(source))

    def is_sure_of(self, label: str, confidence: float) -> bool:
        """Whether a label that is the best, with this confidence, is given."""
        return confidence >= self.judgement.thresholds[self.labels.index(label)]

    def warm_up(self) -> None:
        """Classify a blank picture, so that the first real one does not wait for compiling."""
        self.scores(np.full((WARM_UP_SIDE_PX, WARM_UP_SIDE_PX, 3), 255, dtype=np.uint8))

    def _see(self, picture: Picture) -> Seen:
        return Seen(network_input(picture, side_px=self.input_side_px), measure(picture))

    def _ranked(self, logits: npt.NDArray[np.floating]) -> list[Score]:
        probabilities = softmax(logits / self.judgement.temperature)[: len(self.labels)]
        return [Score(self.labels[at], float(probabilities[at])) for at in np.argsort(-probabilities, kind="stable")]


def softmax(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Turn logits, (..., labels), into probabilities that sum to 1 along the last axis."""
    raised = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    probabilities: npt.NDArray[np.float64] = raised / raised.sum(axis=-1, keepdims=True)
    return probabilities
