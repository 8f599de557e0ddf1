"""In which order the index of words is walked: newest first, or most relevant first; each is a range of an index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVarTuple

from sqlalchemy import BindParameter, ColumnElement, Select
from sqlalchemy.orm import InstrumentedAttribute

from storage_service.tables import Posting

Columns = TypeVarTuple("Columns")


@dataclass(frozen=True)
class Order:
    """The column of a posting that says where it stands, and the index that is walked."""

    column: InstrumentedAttribute[int]
    is_descending: bool
    index: str

    def walked(self, statement: Select[*Columns]) -> Select[*Columns]:
        """Return the statement on postings as MySQL must run it: by itself it may choose the other index, and sort."""
        return statement.with_hint(Posting, f"FORCE INDEX ({self.index})", "mysql")

    def behind(self, position: int | BindParameter[int] | None) -> list[ColumnElement[bool]]:
        """Return the condition on postings that come after a position; None is before the first."""
        if position is None:
            return []
        return [self.column < position if self.is_descending else self.column > position]

    def up_to(self, position: int | BindParameter[int] | None) -> list[ColumnElement[bool]]:
        """Return the condition on postings that come before a position, or at it; None is behind the last."""
        if position is None:
            return []
        return [self.column >= position if self.is_descending else self.column <= position]

    def sorting(self, column: ColumnElement[int] | InstrumentedAttribute[int]) -> ColumnElement[int]:
        """Return what to sort by, for the column or one made of it."""
        return column.desc() if self.is_descending else column.asc()

    def farther(self, one: int, other: int) -> bool:
        """Say whether a position comes after another."""
        return one < other if self.is_descending else one > other


NEWEST_FIRST = Order(Posting.seq, is_descending=True, index="PRIMARY")
MOST_RELEVANT_FIRST = Order(Posting.relevance, is_descending=False, index="postings_word_relevance")
