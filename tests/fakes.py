"""Small stand-ins for the services behind the gateway and for loaded models."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from shared.artifacts import Manifest
from shared.contracts import (
    ATTENTION_SIDE,
    EMBEDDING_SIZE,
    UNCLASSIFIED,
    Alternative,
    CaptionAnswer,
    ClassificationAnswer,
    ImageRecord,
    Kind,
    ModelName,
    NewImage,
    Word,
)
from shared.deadline import Deadline
from shared.errors import ServiceError
from shared.work_contracts import Lease, WorkCount, WorkOutcome

MODEL = ModelName(name="fake", version="1")


def manifest(kind: str) -> Manifest:
    return Manifest(
        kind=kind, name="fake", version="1", created="", commit="", sizes={}, metrics={}, data="drawn in memory"
    )


@dataclass(frozen=True)
class FakeCaption:
    sentence: str
    confidence: float


@dataclass(frozen=True)
class FakeLook:
    word: str
    weights: npt.NDArray[np.float32]


@dataclass(frozen=True)
class FakeDescription:
    captions: Sequence[FakeCaption]
    embedding: npt.NDArray[np.float32] | None
    looks: Sequence[FakeLook] | None


class FakeCaptioner:
    """Says the same of every image, and remembers the shapes it saw."""

    def __init__(self, sentence: str = "a red square") -> None:
        self.manifest = manifest("captioner")
        self.sentence = sentence
        self.shapes: list[tuple[int, ...]] = []
        self.error: ServiceError | None = None

    def describe(self, images: npt.NDArray[np.uint8]) -> Sequence[Sequence[FakeCaption]]:
        if self.error:
            raise self.error
        self.shapes.append(images.shape)
        best, second = FakeCaption(self.sentence, 0.7), FakeCaption("something red", 0.4)
        return [[best, second] for _ in images]

    has_embedding = True
    embedding_encoder = "fake-encoder@1"
    attends = True

    def describe_fully(
        self, images: npt.NDArray[np.uint8], *, embedding: Sequence[bool], attention: Sequence[bool]
    ) -> Sequence[FakeDescription]:
        captions = self.describe(images)
        numbers = np.full(EMBEDDING_SIZE, EMBEDDING_SIZE**-0.5, np.float32)
        even = np.full((ATTENTION_SIDE, ATTENTION_SIDE), ATTENTION_SIDE**-2, np.float32)
        looks = [FakeLook(word, even) for word in self.sentence.split()]
        return [
            FakeDescription(captions[at], numbers if embedding[at] else None, looks if attention[at] else None)
            for at in range(len(images))
        ]


class FakeCaptions:
    """caption-service as the gateway's use case sees it."""

    def __init__(self, sentence: str = "a red square", error: ServiceError | None = None) -> None:
        self.answer = CaptionAnswer(captions=[Alternative(value=sentence, confidence=0.7)], model=MODEL)
        self.error = error

    async def caption(self, preview: bytes, *, deadline: Deadline) -> CaptionAnswer:
        if self.error:
            raise self.error
        return self.answer


class FakeLabels:
    """classify-service as the gateway's use case sees it."""

    def __init__(self, label: str = "photo", error: ServiceError | None = None) -> None:
        self.answer = ClassificationAnswer(label=label, labels=[Alternative(value=label, confidence=0.9)], model=MODEL)
        self.error = error

    async def classify(self, preview: bytes, *, deadline: Deadline) -> ClassificationAnswer:
        if self.error:
            raise self.error
        return self.answer


class FakeImages:
    """storage-service as the gateway's use case sees it, in memory."""

    def __init__(self) -> None:
        self.stored: list[NewImage] = []
        self.previews: list[bytes] = []
        self._records: dict[str, ImageRecord] = {}

    async def find(self, sha256: str, *, deadline: Deadline) -> ImageRecord | None:
        return self._records.get(sha256)

    async def store(
        self, image: NewImage, original: bytes, preview: bytes, *, deadline: Deadline
    ) -> tuple[ImageRecord, bool]:
        self.stored.append(image)
        self.previews.append(preview)
        record = _record(image, len(original))
        self._records[image.sha256] = record
        return record, True


def _record(image: NewImage, size_bytes: int) -> ImageRecord:
    is_complete = image.caption is not None and image.classification is not None
    label = image.classification.label if image.classification else UNCLASSIFIED
    caption = image.caption.captions[0] if image.caption else None
    said = {"source": "model", "model": "fake@1"}
    return ImageRecord(
        id=uuid.uuid4(),
        size_bytes=size_bytes,
        status="complete" if is_complete else "pending",
        label=Word(value=label, confidence=None, **said),
        caption=Word(value=caption.value, confidence=caption.confidence, **said) if caption else None,
        labels=image.classification.labels if image.classification else [],
        captions=image.caption.captions if image.caption else [],
        created_at=datetime.now(UTC),
        **image.model_dump(include={"filename", "sha256", "media_type", "width", "height"}),
    )


class FakeWork:
    """Storage's pending work, in memory: each piece is handed out once, and every report is kept."""

    def __init__(self, *kinds: Kind) -> None:
        self.due = [Lease(image_id=uuid.uuid4(), kind=kind, token=uuid.uuid4()) for kind in kinds]
        self.reports: dict[uuid.UUID, WorkOutcome] = {}
        self.lease_errors: list[Exception] = []
        self.preview_error: ServiceError | None = None
        self.lost: set[uuid.UUID] = set()

    async def lease(self, kind: Kind, *, lease_s: float, deadline: Deadline) -> Lease | None:
        if self.lease_errors:
            raise self.lease_errors.pop()
        lease = next((lease for lease in self.due if lease.kind == kind), None)
        if lease:
            self.due.remove(lease)
        return lease

    async def report(self, token: uuid.UUID, outcome: WorkOutcome, *, deadline: Deadline) -> ImageRecord | None:
        if token in self.lost:
            return None
        self.reports[token] = outcome
        new = {"filename": "a.jpg", "sha256": "0" * 64, "media_type": "image/jpeg", "width": 1, "height": 1}
        return _record(NewImage(**new, caption=outcome.caption, classification=outcome.classification), 1)

    async def counts(self, *, deadline: Deadline) -> list[WorkCount]:
        return [
            WorkCount(kind=kind, missing=sum(lease.kind == kind for lease in self.due), rerun=7, failed=1)
            for kind in ("caption", "label")
        ]

    async def preview(self, image_id: uuid.UUID, *, deadline: Deadline) -> bytes:
        if self.preview_error:
            raise self.preview_error
        return b"a small picture"


@dataclass(frozen=True)
class FakeScore:
    label: str
    confidence: float


class FakeClassifier:
    """Gives the same label to every image, and refuses what the real one could not read either."""

    def __init__(self, label: str = "photo", confidence: float = 0.9) -> None:
        self.scores = [FakeScore(label, confidence), FakeScore("meme", round(1 - confidence, 3))]

    def look_at(self, source: bytes) -> bytes:
        return source

    def scores_of_all(self, seen: Sequence[bytes]) -> Sequence[Sequence[FakeScore]]:
        return [self.scores for _ in seen]

    def is_sure_of(self, label: str, confidence: float) -> bool:
        return confidence >= 0.5


@dataclass(frozen=True)
class FakeReason:
    feature: str
    value: float
    usual: float
    weight: float
    words: str


@dataclass(frozen=True)
class FakeExplanation:
    scores: Sequence[FakeScore]
    heat_map: npt.NDArray[np.float32]
    reasons: Sequence[FakeReason]


class ExplainingClassifier(FakeClassifier):
    """Says why, too."""

    def explain_seen(self, seen: bytes) -> FakeExplanation:
        reason = FakeReason("saturation_mean", value=0.01, usual=0.21, weight=0.4, words="almost no colour")
        return FakeExplanation(self.scores, np.eye(9, dtype=np.float32), (reason,))
