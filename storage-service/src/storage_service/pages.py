"""Say what a page of images is asked for by: which images, in which order, how many, behind which one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement

from shared.contracts import Sort, Source, Status
from storage_service.cursors import Cursor
from storage_service.lineage import NOT_IN_DOUBT
from storage_service.postings import filter_term
from storage_service.search import WordQuery
from storage_service.tables import Image


@dataclass(frozen=True)
class PageQuery:
    """Which images, in which order, how many, behind which one."""

    words: WordQuery | None
    label: str | None
    status: Status | None
    sort: Sort
    limit: int
    after: Cursor | None
    source: Source | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    min_confidence: float | None = None
    max_confidence: float | None = None

    def filter_terms(self) -> list[str]:
        """Return the terms of the index that the filters ask for."""
        filters = (("label", self.label), ("status", self.status), ("source", self.source))
        return [filter_term(kind, value) for kind, value in filters if value is not None]

    def image_conditions(self) -> list[ColumnElement[bool]]:
        """Return what only an image's own row can tell."""
        conditions: list[ColumnElement[bool]] = []
        if self.created_after is not None:
            conditions.append(Image.created_at >= self.created_after)
        if self.created_before is not None:
            conditions.append(Image.created_at < self.created_before)
        if self.min_confidence is not None or self.max_confidence is not None:
            conditions.append(Image.certainty < NOT_IN_DOUBT)
        if self.min_confidence is not None:
            conditions.append(Image.certainty >= self.min_confidence)
        if self.max_confidence is not None:
            conditions.append(Image.certainty <= self.max_confidence)
        return conditions
