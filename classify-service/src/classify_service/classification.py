"""Classify the images that arrive: on bounded threads, in time, with our errors for what cannot be read.

Keras is imported when the model is loaded and not before, so that building the app stays cheap.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry, Histogram

from classify_service.model.preprocessing import TooManyPixels, UnknownFormat, UnreadableImage
from shared.app import StartupError
from shared.artifacts import ArtifactError, Manifest
from shared.contracts import (
    UNCLASSIFIED,
    Alternative,
    ClassificationAnswer,
    FeatureEvidence,
    LabelEvidence,
    ModelName,
)
from shared.deadline import Deadline
from shared.errors import BrokenImage, ImageTooLarge, Overloaded, UnsupportedImage
from shared.inference_metrics import InferenceMetrics, InferenceRequest
from shared.status_contracts import ServedModel, served
from shared.worker import BoundedWorker

Told = TypeVar("Told")

INFERENCE_BUCKETS_S = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5)


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
    """What turns an encoded image into scores; `model.classifier.Classifier` is the real one."""

    def scores_of_file(self, source: bytes) -> Sequence[LabelScore]:
        """Return every label, best first, or raise UnreadableImage."""

    def explain_file(self, source: bytes) -> LabelExplanation:
        """Return the same scores and what speaks for the best one, or raise UnreadableImage."""

    def is_sure_of(self, label: str, confidence: float) -> bool:
        """Whether a label that is the best, with this confidence, is given."""


@dataclass(frozen=True)
class LoadedModel:
    """A classifier in memory, and what it is called."""

    classifier: ImageClassifier
    name: ModelName
    manifest: Manifest | None = None


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
    return LoadedModel(classifier, ModelName(name=manifest.name, version=manifest.version), manifest)


class Classification:
    """The service's work: image bytes to a ClassificationAnswer."""

    def __init__(self, *, threads: int, waiting: int, registry: CollectorRegistry) -> None:
        self.model: LoadedModel | None = None
        self._registry = registry
        self._metrics: InferenceMetrics | None = None
        self._worker = BoundedWorker("classification", threads=threads, waiting=waiting)
        self._inference_s = Histogram(
            "inference_duration_seconds",
            "Time to decode, measure and classify one image.",
            registry=registry,
            buckets=INFERENCE_BUCKETS_S,
        )
        self._explanation_s = Histogram(
            "explanation_duration_seconds",
            "Time to classify one image and to say why.",
            registry=registry,
            buckets=INFERENCE_BUCKETS_S,
        )

    async def load(self, load: Callable[[], LoadedModel], *, deadline: Deadline) -> None:
        """Load the model on a thread of its own: how long that takes says nothing of how long an image does."""
        try:
            async with asyncio.timeout(deadline.remaining_s()):
                self.model = await asyncio.to_thread(load)
        except TimeoutError as error:
            raise StartupError("the model could not be loaded in time") from error
        self._metrics = InferenceMetrics(self._registry, self.model.name)

    @property
    def places_taken(self) -> float:
        """Share of the places for images that are taken, 0 to 1."""
        return self._worker.load

    async def classify(self, image: bytes, *, deadline: Deadline, is_background: bool = False) -> ClassificationAnswer:
        """Return every label's probability, and the best one where it reaches its threshold.

        Raises:
            UnsupportedImage, ImageTooLarge, BrokenImage: the image cannot be read.
            Overloaded, DeadlineExceeded: see `BoundedWorker.run`.
        """
        model, metrics = self._loaded()
        with metrics.request() as asked:
            scores = await self._worker.run(
                lambda: self._timed(model.classifier.scores_of_file, image, asked, self._inference_s),
                deadline=deadline,
                is_background=is_background,
            )
            with asked.stage("compute_output"):
                return _answer(model, scores)

    async def explain(self, image: bytes, *, deadline: Deadline, is_background: bool = False) -> ClassificationAnswer:
        """Return what `classify` returns, and what speaks for the best label; raises the same."""
        model, metrics = self._loaded()
        with metrics.request() as asked:
            told = await self._worker.run(
                lambda: self._timed(model.classifier.explain_file, image, asked, self._explanation_s),
                deadline=deadline,
                is_background=is_background,
            )
            with asked.stage("compute_output"):
                return _answer(model, told.scores, _explanation(told))

    @property
    def served(self) -> ServedModel:
        """What is told of the model; raises Overloaded while it is being loaded."""
        if self.model is None:
            raise Overloaded("the model is still being loaded")
        if self.model.manifest is None:
            name = self.model.name
            return ServedModel(name=name.name, version=name.version, kind="classifier", measured={})
        return served(self.model.manifest)

    def close(self) -> None:
        """Finish what is under way and let the model go."""
        self._worker.close()
        self.model = None

    def _loaded(self) -> tuple[LoadedModel, InferenceMetrics]:
        if self.model is None or self._metrics is None:
            raise RuntimeError("the model is loaded before the first request")
        return self.model, self._metrics

    def _timed(
        self, look: Callable[[bytes], Told], image: bytes, asked: InferenceRequest, duration_s: Histogram
    ) -> Told:
        started = time.perf_counter()
        try:
            with asked.stage("compute_infer"):  # decoding and measuring included: the model's library does all of it
                told = look(image)
        except UnknownFormat as error:
            raise UnsupportedImage(str(error)) from error
        except TooManyPixels as error:
            raise ImageTooLarge(str(error)) from error
        except UnreadableImage as error:
            raise BrokenImage(str(error)) from error
        duration_s.observe(time.perf_counter() - started)
        return told


def _answer(
    model: LoadedModel, scores: Sequence[LabelScore], explanation: LabelEvidence | None = None
) -> ClassificationAnswer:
    best = scores[0]
    return ClassificationAnswer(
        label=best.label if model.classifier.is_sure_of(best.label, best.confidence) else UNCLASSIFIED,
        labels=[Alternative(value=score.label, confidence=score.confidence) for score in scores],
        model=model.name,
        explanation=explanation,
    )


def _explanation(told: LabelExplanation) -> LabelEvidence:
    return LabelEvidence(
        label=told.scores[0].label,
        words=", ".join(reason.words for reason in told.reasons),
        features=[
            FeatureEvidence(
                name=reason.feature,
                words=reason.words,
                value=reason.value,
                usual=reason.usual,
                weight=reason.weight,
            )
            for reason in told.reasons
        ],
        map=[[round(float(cell), 4) for cell in row] for row in told.heat_map],
    )
