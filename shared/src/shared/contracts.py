"""What travels between the services and to the public: one model of the wire.

Names are the API's names. A contract test drives each caller's client against the callee's real app with these models.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, RootModel, StringConstraints, model_validator

UNCLASSIFIED = "unclassified"

Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,64}$")]
CaptionText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Confidence = Annotated[float, Field(ge=0, le=1)]
Status = Literal["complete", "pending", "failed"]
Source = Literal["model", "person"]
Kind = Literal["caption", "label"]
Sort = Literal["newest", "relevance", "uncertain"]

MAX_PAGE_SIZE = 200
DEFAULT_PAGE_SIZE = 50
EMBEDDING_SIZE = 256
"""Numbers of a picture's embedding."""
MAX_ENCODER_LENGTH = 190
ATTENTION_SIDE = 14
"""Cells along a side of the grid that attention is told on; each covers 16 x 16 pixels of the 224 that a model sees."""
AttentionRow = Annotated[list[float], Field(min_length=ATTENTION_SIDE, max_length=ATTENTION_SIDE)]


class Wire(BaseModel):
    """A message: unknown fields are refused, so that a misspelt one is noticed."""

    # Of values read from JSON, such as captions and ids, hardly one comes twice: to remember them only takes memory.
    model_config = ConfigDict(extra="forbid", frozen=True, cache_strings="keys")


class ModelName(Wire):
    """Which model spoke."""

    name: str
    version: str


class Alternative(Wire):
    """One candidate of a model."""

    value: str
    confidence: Confidence


class WordAttention(Wire):
    """A word, and where the model looked before it said it."""

    word: str
    weights: list[AttentionRow] = Field(
        min_length=ATTENTION_SIDE,
        max_length=ATTENTION_SIDE,
        description="Rows from top to bottom, cells from left to right; each cell's share, all together 1.",
    )


class CaptionAnswer(Wire):
    """Answer of `POST /v1/captions`: sentences, best first, and on request what else the model knows of the picture."""

    captions: list[Alternative] = Field(min_length=1)
    model: ModelName
    embedding: list[FiniteFloat] | None = Field(
        default=None,
        min_length=EMBEDDING_SIZE,
        max_length=EMBEDDING_SIZE,
        description="With `?embedding=true`: a vector of length 1; the dot product of two is 1 for equal pictures and "
        "about 0 for unrelated ones. Comparable between models over the same encoder.",
    )
    encoder: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_ENCODER_LENGTH,
        description="With an embedding: what made it, weights and projection; only embeddings of equal names compare.",
    )
    attention: list[WordAttention] | None = Field(
        default=None, description="With `?attention=true`: the words of the first caption."
    )

    @model_validator(mode="after")
    def _an_embedding_names_its_encoder(self) -> CaptionAnswer:
        if (self.embedding is None) != (self.encoder is None):
            raise ValueError("an embedding and its encoder come together")
        return self


class ImageAttention(Wire):
    """Where the present caption model looks in an image, word by word.

    `caption` is what that model says now, which need not be the caption that the image carries.
    """

    caption: str
    words: list[WordAttention] = Field(min_length=1)
    model: ModelName


class FeatureEvidence(Wire):
    """A measured feature that speaks for a label."""

    name: str
    words: str = Field(description="What it says of the picture: `many straight horizontal lines`.")
    value: float
    usual: float = Field(description="The average of the pictures that the model learnt from.")
    weight: float = Field(description="By how much the label's log-odds fall when the feature has its usual value.")


class LabelEvidence(Wire):
    """What speaks for a label, read from the model itself."""

    label: Label = Field(description="The best one, also where the model is not sure enough to give it.")
    words: str = Field(description="The words of `features`, joined; empty where none is clearly out of the usual.")
    features: list[FeatureEvidence] = Field(description="The strongest first, at most five.")
    map: list[list[Confidence]] = Field(
        min_length=1,
        description="Grad-CAM of the convolutions: rows from top to bottom over the whole picture, cells from left to "
        "right; 1 where most speaks for the label, 0 where nothing does.",
    )


class ClassificationAnswer(Wire):
    """Answer of `POST /v1/classifications`: every label's probability, best first.

    `label` is the first of `labels`, or `unclassified` where its confidence is under the model's threshold.
    """

    label: Label
    labels: list[Alternative] = Field(min_length=1)
    model: ModelName
    explanation: LabelEvidence | None = Field(default=None, description="With `?explain=true`.")


class ImageExplanation(Wire):
    """What speaks for the label that the present classify model gives an image.

    That label need not be the one the image carries.
    """

    label: Label = Field(description="`unclassified` where the model is not sure enough of `evidence.label`.")
    labels: list[Alternative] = Field(min_length=1)
    evidence: LabelEvidence
    model: ModelName


class Word(Wire):
    """A current caption or label, and who gave it."""

    value: str
    confidence: Confidence | None = Field(description="Null when a person gave it.")
    source: Source
    model: str | None = Field(description="`name@version` of the model, null when a person gave it.")


class NearDuplicate(Wire):
    """The stored image that another one is almost the same as."""

    id: UUID
    distance: float = Field(ge=0, le=2, description="Of their embeddings: 0 for equal pictures, about 1 for unrelated.")


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
    failure: str | None = Field(default=None, description="Why no model gave what was wanted; null unless given up.")
    duplicate_of: NearDuplicate | None = Field(
        default=None, description="An image stored before that shows the same, re-compressed, resized or brightened."
    )


class ImagePage(Wire):
    """One page of images; `next_cursor` asks for the following one. A page may be short and yet have a next one."""

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

    status: Literal["live", "ready", "starting", "stopping"]
    service: str
    version: str
    models: list[ModelName] = []
    degraded: list[str] = Field(default=[], description="Services behind this one that do not answer now.")
    load: float = Field(
        default=0, ge=0, le=1, description="Share of its places for work that are taken; at 1 it is full."
    )
