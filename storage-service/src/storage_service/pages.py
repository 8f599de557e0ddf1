"""Turn a question for images into one statement per page.

Pages go on behind the last image seen, not at a number of rows: what is uploaded or deleted meanwhile makes no page
lose or repeat an image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, literal, or_, select

from shared.contracts import Sort, Status
from storage_service.cursors import Cursor
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


def page_statement(query: PageQuery, dialect: str) -> Select[Image, float]:
    """Return a statement for one image more than the page has, each with its rank in the order asked for."""
    statement = select(Image)
    if query.words is not None:
        statement = query.words.narrow(statement, dialect)
    if query.label is not None:
        statement = statement.where(Image.label == query.label)
    if query.status is not None:
        statement = statement.where(Image.status == query.status)
    rank = _rank(query)
    if query.after is not None:
        statement = statement.where(_behind(query.after, rank))
    return statement.order_by(*_order(query.sort, rank)).limit(query.limit + 1).add_columns(rank)


def _rank(query: PageQuery) -> ColumnElement[Any]:
    if query.sort == "uncertain":
        return Image.certainty.expression
    if query.sort == "relevance" and query.words is not None:
        return query.words.distance()
    return literal(0)


def _order(sort: Sort, rank: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    match sort:
        case "newest":
            return [Image.seq.desc()]
        case "uncertain":
            return [rank, Image.seq.asc()]
        case "relevance":
            return [rank, Image.seq.desc()]


def _behind(last: Cursor, rank: ColumnElement[Any]) -> ColumnElement[bool]:
    match last.sort:
        case "newest":
            return Image.seq < last.seq
        case "uncertain":
            return or_(rank > last.rank, and_(rank == last.rank, Image.seq > last.seq))
        case "relevance":
            return or_(rank > last.rank, and_(rank == last.rank, Image.seq < last.seq))
