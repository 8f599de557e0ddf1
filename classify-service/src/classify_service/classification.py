"""Classify the images that arrive: on bounded threads, in time, with our errors for what cannot be read.

Keras is imported when the model is loaded and not before, so that building the app stays cheap.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from prometheus_client import CollectorRegistry, Histogram

from classify_service.model.preprocessing import TooManyPixels, UnknownFormat, UnreadableImage
from shared.app import StartupError
from shared.artifacts import ArtifactError
from shared.contracts import UNCLASSIFIED, Alternative, ClassificationAnswer, ModelName
from shared.deadline import Deadline
from shared.errors import BrokenImage, ImageTooLarge, UnsupportedImage
from shared.worker import BoundedWorker

INFERENCE_BUCKETS_S = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5)


class LabelScore(Protocol):
    """A label and its probability."""

    @property
    def label(self) -> str: ...  # noqa: D102
    @property
    def confidence(self) -> float: ...  # noqa: D102


class ImageClassifier(Protocol):
    """What turns an encoded image into scores; `model.classifier.Classifier` is the real one."""

    def scores_of_file(self, source: bytes) -> Sequence[LabelScore]:
        """Return every label, best first, or raise UnreadableImage."""

    def is_sure_of(self, label: str, confidence: float) -> bool:
        """Whether a label that is the best, with this confidence, is given."""


@dataclass(frozen=True)
class LoadedModel:
    """A classifier in memory, and what it is called."""

    classifier: ImageClassifier
    name: ModelName


def load_model(folder: Path) -> LoadedModel:
    """Load a classifier and classify one blank picture, so that the first real one does not wait for compiling.

    Raises:
        StartupError: the artifact cannot be used.
    """
    from classify_service.model import artifact  # noqa: PLC0415 - brings in TensorFlow

    try:
        classifier, manifest = artifact.load(folder)
    except ArtifactError as error:
        raise StartupError(str(error)) from error
    classifier.warm_up()
    return LoadedModel(classifier, ModelName(name=manifest.name, version=manifest.version))


class Classification:
    """The service's work: image bytes to a ClassificationAnswer."""

    def __init__(self, *, threads: int, waiting: int, registry: CollectorRegistry) -> None:
        self.model: LoadedModel | None = None
        self._worker = BoundedWorker("classification", threads=threads, waiting=waiting)
        self._inference_s = Histogram(
            "inference_duration_seconds",
            "Time to decode, measure and classify one image.",
            registry=registry,
            buckets=INFERENCE_BUCKETS_S,
        )

    async def load(self, load: Callable[[], LoadedModel], *, deadline: Deadline) -> None:
        """Load the model on a worker thread."""
        self.model = await self._worker.run(load, deadline=deadline)

    async def classify(self, image: bytes, *, deadline: Deadline) -> ClassificationAnswer:
        """Return every label's probability, and the best one where it reaches its threshold.

        Raises:
            UnsupportedImage, ImageTooLarge, BrokenImage: the image cannot be read.
            Overloaded, DeadlineExceeded: see `BoundedWorker.run`.
        """
        model = self.model
        if model is None:
            raise RuntimeError("the model is loaded before the first request")
        scores = await self._worker.run(lambda: self._scores(model.classifier, image), deadline=deadline)
        best = scores[0]
        return ClassificationAnswer(
            label=best.label if model.classifier.is_sure_of(best.label, best.confidence) else UNCLASSIFIED,
            labels=[Alternative(value=score.label, confidence=score.confidence) for score in scores],
            model=model.name,
        )

    def close(self) -> None:
        """Finish what is under way and let the model go."""
        self._worker.close()
        self.model = None

    def _scores(self, classifier: ImageClassifier, image: bytes) -> Sequence[LabelScore]:
        started = time.perf_counter()
        try:
            scores = classifier.scores_of_file(image)
        except UnknownFormat as error:
            raise UnsupportedImage(str(error)) from error
        except TooManyPixels as error:
            raise ImageTooLarge(str(error)) from error
        except UnreadableImage as error:
            raise BrokenImage(str(error)) from error
        self._inference_s.observe(time.perf_counter() - started)
        return scores
