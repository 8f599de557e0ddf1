"""Merge the postings of several words: a branch of a union for each, each a range of an index.

A union of fifty branches takes longer to put together than to run. So its text is made once for so many words and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import BindParameter, Subquery, bindparam, literal_column, select, text, union
from sqlalchemy.dialects import mysql, sqlite

from storage_service.orders import Order
from storage_service.tables import Posting

_DIALECTS = {"mysql": mysql.dialect(paramstyle="named"), "sqlite": sqlite.dialect(paramstyle="named")}


def merged(
    words: Sequence[str], order: Order, *, after: int | None, until: int | None, count: int | None, dialect: str
) -> Subquery:
    """Return `seq` and `relevance` of the images that have any of the words, each once.

    Args:
        words: At least one.
        order: Along which index to walk.
        after: Behind which position; None: from the first.
        until: Up to which position; None: to the last.
        count: So many of each word at most; None: all.
        dialect: `mysql` or `sqlite`.
    """
    sql = _sql(order, dialect, len(words), after is not None, until is not None, count is not None)
    values: dict[str, str | int] = {f"begun_{at}": word for at, word in enumerate(words)}
    values |= {
        name: value
        for name, value in (("begun_after", after), ("begun_until", until), ("begun_count", count))
        if value is not None
    }
    return text(sql).bindparams(**values).columns(Posting.seq, Posting.relevance).subquery()


@lru_cache(maxsize=512)
def _sql(order: Order, dialect: str, words: int, is_after: bool, is_until: bool, is_counted: bool) -> str:  # noqa: PLR0917
    ends = [
        *(order.behind(_number("begun_after")) if is_after else ()),
        *(order.up_to(_number("begun_until")) if is_until else ()),
    ]
    branches = []
    for at in range(words):
        of_word = order.walked(select(Posting.seq, Posting.relevance)).where(
            Posting.word == bindparam(f"begun_{at}", type_=Posting.word.type), *ends
        )
        if is_counted:
            of_word = of_word.order_by(order.sorting(order.column)).limit(_number("begun_count"))
            of_word = of_word.offset(literal_column("0"))  # SQLite's dialect adds one with a value of its own
        # In a subquery, since SQLite sorts and limits no part of a union by itself.
        own = of_word.subquery()
        branches.append(select(own.c.seq, own.c.relevance))
    return str(union(*branches).compile(dialect=_DIALECTS[dialect]))


def _number(name: str) -> BindParameter[int]:
    return bindparam(name, type_=Posting.seq.type)
