"""The shapes of many images at once, so that a gallery knows its height before it has seen them."""

from __future__ import annotations

from pydantic import Field

from shared.contracts import MAX_PAGE_SIZE, Wire

MAX_OUTLINE_IMAGES = 10_000
DEFAULT_OUTLINE_STEP = 100
MAX_OUTLINE_STEP = MAX_PAGE_SIZE


class ImageOutline(Wire):
    """The shapes of images in the order of their pages, and where pages of `step` images begin among them."""

    shapes: list[float] = Field(description="Width over height of each image, rounded to 0.001.")
    cursors: list[str | None] = Field(
        description="The cursor of each page of `step` images; null where it is the very first page."
    )
    next_cursor: str | None = Field(description="Asks for the outline of the following images; null at the end.")
