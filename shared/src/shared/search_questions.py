"""What a search may ask for, the same at the gateway's door and at storage's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import AwareDatetime, Field

from shared.contracts import Confidence, Source

MAX_CHOSEN_IMAGES = 500
"""Ids in one request: with those of the others a URL of 20 kB."""

MAX_SEARCH_LENGTH = 10_000
"""Characters; of the words the first 64 count."""

# Years that every part of the platform can reckon with.
_Moment = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(3000, 1, 1, tzinfo=UTC))]

SearchText = Annotated[
    str,
    Query(
        max_length=MAX_SEARCH_LENGTH,
        description="Words that caption, label or file name must have; the last may be the beginning of one. Words in "
        "double quotes stand side by side.",
    ),
]
LabelledBy = Annotated[Source | None, Query(description="Who gave the label.")]
StoredSince = Annotated[_Moment | None, Query(description="Stored then or later: RFC 3339 with its zone.")]
StoredBefore = Annotated[_Moment | None, Query(description="Stored earlier: RFC 3339 with its zone.")]
LeastConfidence = Annotated[Confidence | None, Query(description="Of a model's label; a person's has none.")]
MostConfidence = Annotated[Confidence | None, Query(description="Of a model's label; a person's has none.")]
ChosenImages = Annotated[
    list[UUID],
    Query(
        alias="id",
        max_length=MAX_CHOSEN_IMAGES,
        description="Just these images, in this order; again for each. Those that are not there any more are left out.",
    ),
]
