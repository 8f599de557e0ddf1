"""Classify the images that arrive: several together, in time, with our errors for what cannot be read.

What computes is imported when the model is loaded and not before, so that building the app stays cheap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from prometheus_client import CollectorRegistry, Histogram

from classify_service.image_classifier import ImageClassifier, LabelExplanation, LabelScore
from classify_service.model.preprocessing import TooManyPixels, UnknownFormat, UnreadableImage
from shared.app import StartupError
from shared.artifacts import ArtifactError, Manifest
from shared.batching import BatchWorker, Room
from shared.compute_lock import ComputeLock
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
from shared.passing_thread import in_passing_thread
from shared.status_contracts import ServedModel, served

if TYPE_CHECKING:
    from classify_service.model.backends import Backend

INFERENCE_BUCKETS_S = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5)


@dataclass(frozen=True)
class LoadedModel:
    """A classifier in memory, and what it is called."""

    classifier: ImageClassifier
    name: ModelName
    manifest: Manifest | None = None


def load_model(folder: Path, *, backend: Backend | Literal["auto"] = "auto", precision: str = "auto") -> LoadedModel:
    """Load a classifier and classify one blank picture, so that the first real one does not wait for compiling.

    Args:
        folder: The artifact.
        backend: See ClassifySettings.
        precision: See ClassifySettings.

    Raises:
        StartupError: the artifact cannot be used, or not so.
    """
    from classify_service.model import artifact, backends  # noqa: PLC0415 - slow

    try:
        computing = backends.choose(backend, precision)
        classifier, manifest = artifact.load(folder, computing=computing)
    except (ArtifactError, backends.BackendUnavailable) as error:
        raise StartupError(str(error)) from error
    classifier.warm_up()
    return LoadedModel(classifier, ModelName(name=manifest.name, version=manifest.version), manifest)


@dataclass(frozen=True)
class Decoded:
    """An image that waits for the network, and what is asked of it."""

    seen: Any
    asked: InferenceRequest
    explain: bool


@dataclass(frozen=True)
class Told:
    """What the network says of an image."""

    scores: Sequence[LabelScore]
    explanation: LabelEvidence | None = None


class Classification:
    """The service's work: image bytes to a ClassificationAnswer."""

    def __init__(self, registry: CollectorRegistry, room: Room, compute_lock: ComputeLock) -> None:
        self.model: LoadedModel | None = None
        self._registry = registry
        self._metrics: InferenceMetrics | None = None
        self._compute_lock = compute_lock
        self._worker = BatchWorker("classification", self._look, room)
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
                self.model = await in_passing_thread(load)
        except TimeoutError as error:
            raise StartupError("the model could not be loaded in time") from error
        self._metrics = InferenceMetrics(self._registry, self.model.name)

    @property
    def places_taken(self) -> float:
        """Share of the places for images that are taken, 0 to 1."""
        return self._worker.load

    async def classify(
        self, image: bytes, *, deadline: Deadline, explain: bool = False, is_background: bool = False
    ) -> ClassificationAnswer:
        """Return every label's probability, the best one where it reaches its threshold, and why, if asked.

        Raises:
            UnsupportedImage, ImageTooLarge, BrokenImage: the image cannot be read.
            Overloaded, DeadlineExceeded: see `BatchWorker.run`.
        """
        model, metrics = self._loaded()
        with metrics.request() as asked:
            told = await self._worker.run(
                lambda: _decode(model.classifier, image, asked, explain=explain),
                deadline=deadline,
                is_background=is_background,
            )
            duration_s = self._explanation_s if explain else self._inference_s
            duration_s.observe(asked.spent_s["compute_input"] + asked.spent_s["compute_infer"])
            with asked.stage("compute_output"):
                return _answer(model, told)

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

    def _look(self, images: Sequence[Decoded]) -> Sequence[Told]:
        """Classify images together; what is to be explained goes alone, since that needs gradients."""
        model, metrics = self._loaded()
        told: dict[int, Told] = {}
        together = [at for at, each in enumerate(images) if not each.explain]
        if together:
            with self._compute_lock.held(), metrics.run([images[at].asked for at in together]):
                scores = model.classifier.scores_of_all([images[at].seen for at in together])
            told |= {at: Told(each) for at, each in zip(together, scores, strict=True)}
        for at, each in enumerate(images):
            if each.explain:
                with self._compute_lock.held(), metrics.run([each.asked]):
                    explained = model.classifier.explain_seen(each.seen)
                told[at] = Told(explained.scores, _explanation(explained))
        return [told[at] for at in range(len(images))]


def _decode(classifier: ImageClassifier, image: bytes, asked: InferenceRequest, *, explain: bool) -> Decoded:
    try:
        with asked.stage("compute_input"):
            return Decoded(classifier.look_at(image), asked, explain)
    except UnknownFormat as error:
        raise UnsupportedImage(str(error)) from error
    except TooManyPixels as error:
        raise ImageTooLarge(str(error)) from error
    except UnreadableImage as error:
        raise BrokenImage(str(error)) from error


def _answer(model: LoadedModel, told: Told) -> ClassificationAnswer:
    best = told.scores[0]
    return ClassificationAnswer(
        label=best.label if model.classifier.is_sure_of(best.label, best.confidence) else UNCLASSIFIED,
        labels=[Alternative(value=score.label, confidence=score.confidence) for score in told.scores],
        model=model.name,
        explanation=told.explanation,
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
