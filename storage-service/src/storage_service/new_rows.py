"""A new image and what is said of it, before they are rows.

They are plain: a session's objects note every change of an attribute, which took a third of a batch's time, and a new
image is written by statements of its own (`ImageRepository.add_all`). Whoever reads an image takes either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from shared.contracts import (
    UNCLASSIFIED,
    Alternative,
    CaptionAnswer,
    ClassificationAnswer,
    Correction,
    Kind,
    ModelName,
    Source,
    Status,
)


@dataclass(eq=False)
class Said:
    """One caption or label, as a row of `analyses` has it."""

    kind: Kind
    value: str
    confidence: float | None
    alternatives: list[dict[str, Any]]
    source: Source
    model_name: str | None
    model_version: str | None
    created_at: datetime

    def row(self) -> dict[str, Any]:
        """Return the columns of its row, but for the image's number."""
        return dict(vars(self))


@dataclass(eq=False)
class NewRow:
    """An image that has no row yet, or has just got it; `lineage.refresh` computes what has a default."""

    id: UUID
    sha256: str
    filename: str
    media_type: str
    width: int
    height: int
    size_bytes: int
    created_at: datetime
    analyses: list[Said]
    """In the order in which they were said."""
    path: str = ""
    status: Status = "pending"
    label: str = UNCLASSIFIED
    label_source: Source = "model"
    certainty: float = 0.0
    search_words: str = ""
    word_count: int = 0
    failure: str | None = None
    seq: int = 0
    """Of its row, as soon as it has one."""

    near_duplicate: ClassVar[None] = None

    def row(self) -> dict[str, Any]:
        """Return the columns of its row, but for the number that the database gives."""
        columns = dict(vars(self))
        del columns["analyses"], columns["seq"]
        return columns


def label_said(answer: ClassificationAnswer) -> Said:
    """Return what a model says of an image's label; under its threshold the best class' confidence is kept."""
    return _said("label", answer.label, answer.labels, answer.model)


def caption_said(answer: CaptionAnswer) -> Said:
    """Return what a model says an image shows."""
    return _said("caption", answer.captions[0].value, answer.captions, answer.model)


def said_instead(correction: Correction) -> list[Said]:
    """Return what a person says."""
    words: dict[Kind, str | None] = {"label": correction.label, "caption": correction.caption}
    now = datetime.now(UTC)
    return [
        Said(kind, value, None, [], source="person", model_name=None, model_version=None, created_at=now)
        for kind, value in words.items()
        if value is not None
    ]


def _said(kind: Kind, value: str, candidates: Sequence[Alternative], model: ModelName) -> Said:
    return Said(
        kind=kind,
        value=value,
        confidence=candidates[0].confidence,
        alternatives=[candidate.model_dump() for candidate in candidates],
        source="model",
        model_name=model.name,
        model_version=model.version,
        created_at=datetime.now(UTC),
    )
