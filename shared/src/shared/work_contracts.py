"""What travels about words that are given, taken back, and still wanted: the part of the wire beside `contracts`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from shared.contracts import CaptionAnswer, ClassificationAnswer, Confidence, Kind, Label, Source, Wire
from shared.search_questions import MAX_CHOSEN_IMAGES

LONGEST_LEASE_S = 3600.0
MOST_LEASES = 100

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class HistoryEntry(Wire):
    """A caption or label that a model or a person gave to an image."""

    kind: Kind
    value: str
    confidence: Confidence | None = Field(description="Null when a person gave it.")
    source: Source
    model: str | None = Field(description="`name@version` of the model, null when a person gave it.")
    created_at: datetime
    is_current: bool = Field(description="Whether the image carries this word now.")


class ImageHistory(Wire):
    """Every word ever given to an image, the newest first."""

    items: list[HistoryEntry]


class Undone(Wire):
    """What was, or with `dry_run` would be, taken back of one model version's words."""

    dry_run: bool
    images: int = Field(description="Images that lost words of this model version, or would.")
    analyses: int = Field(description="Captions and labels removed, or that would be.")
    remaining: int = Field(description="Images that still carry words of it; above 0, ask again to go on.")


class RerunRequest(Wire):
    """Which images the present models shall look at again, and for what; `all`, or one or more of the others."""

    label: Label | None = None
    q: str = Field(default="", max_length=200, description="Words to search for, as in a search.")
    ids: list[UUID] = Field(default=[], max_length=MAX_CHOSEN_IMAGES, description="Only images with one of these ids.")
    all: bool = False
    kinds: list[Kind] = Field(default=["caption", "label"], min_length=1, max_length=2)
    cursor: Annotated[str, StringConstraints(max_length=50)] | None = Field(
        default=None, description="The `next_cursor` of an answer that was not at the end yet."
    )

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        is_narrowed = self.label is not None or bool(self.q.strip()) or bool(self.ids)
        if self.all == is_narrowed:
            raise ValueError('say which images: either "all": true, or "label", "q", "ids" or several of them')
        return self


class Rerun(Wire):
    """What was, or with `dry_run` would be, asked of the models again."""

    dry_run: bool
    images: int = Field(description="Images marked by this call, or that would be.")
    next_cursor: str | None = Field(description="Not null when time ran out: send it to go on; null at the end.")


class Retried(Wire):
    """How many images whose work was given up are tried again."""

    images: int
    remaining: int = Field(description="Images still given up; above 0, ask again to go on.")


class WorkCount(Wire):
    """How much of one kind is wanted of the models."""

    kind: Kind
    missing: int = Field(description="Images that have no word of this kind yet.")
    rerun: int = Field(description="Images that have one, and shall get another from the present model.")
    failed: int = Field(description="Images given up; a retry tries them again.")


class WorkCounts(Wire):
    """All that is wanted of the models now."""

    items: list[WorkCount]


class LeaseRequest(Wire):
    """Asks for work of one kind; whoever does not report within `lease_s` loses it to the next who asks."""

    kind: Kind
    limit: int = Field(default=1, ge=1, le=MOST_LEASES)
    lease_s: float = Field(gt=0, le=LONGEST_LEASE_S)


class Lease(Wire):
    """One image's work, and the token that its result must carry."""

    image_id: UUID
    kind: Kind
    token: UUID


class Leases(Wire):
    """Work that nobody else has now; empty when none is due."""

    items: list[Lease]


class WorkFailure(Wire):
    """Why there is no word."""

    reason: Reason
    is_of_image: bool = Field(description="A model refused this very image; false where a service was away or busy.")


class WorkOutcome(Wire):
    """What came of leased work: exactly one of the three."""

    caption: CaptionAnswer | None = None
    classification: ClassificationAnswer | None = None
    failure: WorkFailure | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if sum(each is not None for each in (self.caption, self.classification, self.failure)) != 1:
            raise ValueError("exactly one of caption, classification and failure must be given")
        return self
