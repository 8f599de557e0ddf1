"""What `similar` answers, in storage and at the gateway; beside `contracts`, which has all that others say, too."""

from __future__ import annotations

from pydantic import Field

from shared.contracts import ImageRecord, Wire

MAX_SIMILAR = 50
DEFAULT_SIMILAR = 12


class SimilarImage(Wire):
    """An image, and how far what it shows is from another's."""

    image: ImageRecord
    distance: float = Field(ge=0, le=2, description="0 for equal pictures, about 1 for unrelated ones.")


class SimilarImages(Wire):
    """Images that look like another, nearest first; all embedded by the same encoder."""

    items: list[SimilarImage]
