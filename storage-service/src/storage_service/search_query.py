"""Read what a request searches for, as several endpoints take it, into a question for the tables."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from shared.contracts import Sort
from shared.errors import BadRequest
from shared.searches import Search
from storage_service.cursors import read_cursor
from storage_service.pages import PageQuery
from storage_service.search import WordQuery

Searched = Annotated[Search, Depends()]


def query_of(search: Search, *, sort: Sort, limit: int, cursor: str | None) -> PageQuery:
    """Return the question for the tables; raises BadRequest where sort or cursor do not fit it."""
    words = WordQuery(search.q) if search.q.strip() else None
    if sort == "relevance" and words is None:
        raise BadRequest("sorting by relevance needs words in q")
    return PageQuery(
        words=words,
        label=search.label,
        status=search.status,
        source=search.source,
        created_after=search.created_after,
        created_before=search.created_before,
        min_confidence=search.min_confidence,
        max_confidence=search.max_confidence,
        sort=sort,
        limit=limit,
        after=None if cursor is None else read_cursor(cursor, sort=sort),
    )
