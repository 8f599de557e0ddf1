"""What travels between the services and to the public: one model of the wire.

Names are the API's names. A contract test drives each caller's client against the callee's real app with these models.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints

UNCLASSIFIED = "unclassified"

Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,64}$")]
CaptionText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Confidence = Annotated[float, Field(ge=0, le=1)]
Status = Literal["complete", "pending", "failed"]
Source = Literal["model", "person"]
Sort = Literal["newest", "relevance", "uncertain"]

MAX_PAGE_SIZE = 200
DEFAULT_PAGE_SIZE = 50
EMBEDDING_SIZE = 256
"""Numbers of a picture's embedding."""


class Wire(BaseModel):
    """A message: unknown fields are refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelName(Wire):
    """Which model spoke."""

    name: str
    version: str


class Alternative(Wire):
    """One candidate of a model."""

    value: str
    confidence: Confidence


class CaptionAnswer(Wire):
    """Answer of `POST /v1/captions`: sentences, best first, and on request where the picture lies among others."""

    captions: list[Alternative] = Field(min_length=1)
    model: ModelName
    embedding: list[float] | None = Field(
        default=None,
        min_length=EMBEDDING_SIZE,
        max_length=EMBEDDING_SIZE,
        description="With `?embedding=true`: a vector of length 1; the dot product of two is 1 for equal pictures and "
        "about 0 for unrelated ones. Comparable between models over the same encoder.",
    )


class ClassificationAnswer(Wire):
    """Answer of `POST /v1/classifications`: every label's probability, best first.

    `label` is the first of `labels`, or `unclassified` where its confidence is under the model's threshold.
    """

    label: Label
    labels: list[Alternative] = Field(min_length=1)
    model: ModelName


class Word(Wire):
    """A current caption or label, and who gave it."""

    value: str
    confidence: Confidence | None = Field(description="Null when a person gave it.")
    source: Source
    model: str | None = Field(description="`name@version` of the model, null when a person gave it.")


class ImageRecord(Wire):
    """An image as the public sees it."""

    id: UUID
    filename: str
    sha256: str
    media_type: str
    width: int = Field(description="Pixels, as the picture is seen upright.")
    height: int
    size_bytes: int
    status: Status
    label: Word
    caption: Word | None
    labels: list[Alternative]
    captions: list[Alternative]
    created_at: datetime


class ImagePage(Wire):
    """One page of images; `next_cursor` asks for the following one."""

    items: list[ImageRecord]
    next_cursor: str | None


class LabelCount(Wire):
    """How many images carry a label."""

    label: str
    count: int


class LabelCounts(RootModel[list[LabelCount]]):
    """Every label in use, most images first; the counts sum to all images."""


class Correction(Wire):
    """What a person says instead; at least one of the two."""

    label: Label | None = None
    caption: CaptionText | None = None


class Analysis(Wire):
    """What the models say of an image that is not stored."""

    label: Word
    labels: list[Alternative]
    caption: Word | None
    captions: list[Alternative]


class NewImage(Wire):
    """What the gateway tells storage with an original and its preview.

    A part that is null is not known yet; the image is then stored as `pending`.
    """

    filename: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    media_type: str
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    classification: ClassificationAnswer | None
    caption: CaptionAnswer | None


class Health(Wire):
    """Answer of `/health/live` and `/health/ready`."""

    status: Literal["live", "ready", "starting"]
    service: str
    version: str
    models: list[ModelName] = []
    degraded: list[str] = Field(default=[], description="Services behind this one that do not answer now.")
