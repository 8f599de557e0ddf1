"""What travels when many images are stored in one request: the part of the wire beside `contracts`."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, RootModel, model_validator

from shared.contracts import ImageRecord, NewImage, Wire

MOST_IN_BATCH = 200
"""Images in one request; about 20 to 100 are worth their while."""

StoredAs = Literal["stored", "known", "refused"]


class NewImages(RootModel[list[NewImage]]):
    """The records of a batch, in the order of its originals and previews."""


class Refusal(Wire):
    """Why one image of a batch was not stored; the others were."""

    code: str = Field(description="Stable name of the failure, for programs.")
    detail: str


class StoredImage(Wire):
    """What became of one image of a batch."""

    outcome: StoredAs = Field(description="`known`: its bytes were stored before, perhaps earlier in the batch.")
    image: ImageRecord | None = Field(description="The record that has these bytes; null when refused.")
    refusal: Refusal | None = None

    @model_validator(mode="after")
    def _has_a_record_or_a_reason(self) -> Self:
        if (self.image is None) != (self.outcome == "refused") or (self.image is None) == (self.refusal is None):
            raise ValueError("a stored image has its record, a refused one its reason")
        return self


class StoredBatch(Wire):
    """What became of each image of a batch, in the order of its records."""

    items: list[StoredImage]
