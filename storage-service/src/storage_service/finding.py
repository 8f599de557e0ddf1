"""Find the next images that have all terms asked for, by walking the postings of the rarest of them.

Which is the rarest is seen from where the walk stands: the term whose next postings reach farthest. Each of them is
looked up among those of the other terms. So a page costs what its images cost, at any depth, unless terms that many
images have hardly ever come together: then the walk goes on in longer and longer strides until its time is over, and
says how far it came. Nothing is left out: the next page begins there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, false, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from storage_service.beginnings import Beginning
from storage_service.merged_postings import merged
from storage_service.orders import Order
from storage_service.postings import EVERY_IMAGE
from storage_service.search import begins_with, has_beginning
from storage_service.tables import Image, Posting

FIRST_STRIDE = 256
LONGEST_STRIDE = 16_384
STRIDE_GROWTH = 8
FEW_WORDS = 8
"""To see how far the postings of a beginning reach takes long where it has more; then it leads only a long stride."""
WALK_S = 1.0

Seq = ColumnElement[int] | InstrumentedAttribute[int]


@dataclass(frozen=True)
class Terms:
    """What images must have, and must not."""

    whole: tuple[str, ...]
    beginning: Beginning | None = None
    without: str | None = None
    conditions: tuple[ColumnElement[bool], ...] = ()
    """On the images themselves."""


@dataclass(frozen=True)
class Found:
    """The positions of images, in order; and where a walk stands whose time was over before it was at its end."""

    positions: list[int]
    stopped_at: int | None


async def walk(
    session: AsyncSession, terms: Terms, order: Order, *, after: int | None, last: int | None, count: int
) -> Found:
    """Return the next `count` images behind a position and before `last`, or fewer and where to go on."""
    drivers = _drivers(terms, order, dialect=session.get_bind().dialect.name)
    give_up = time.monotonic() + WALK_S
    positions: list[int] = []
    stride = FIRST_STRIDE
    while True:
        may_lead = [driver for driver in drivers if driver.is_quick or stride == LONGEST_STRIDE]
        driver, until = await _rarest(session, may_lead or drivers, after=after, stride=stride)
        if until is not None and last is not None and not order.farther(last, until):
            until = None
        end = last if until is None else until
        statement = driver.images(after=after, until=end, count=count - len(positions))
        positions += await session.scalars(statement)
        if len(positions) >= count or until is None:
            return Found(positions, stopped_at=None)
        if time.monotonic() > give_up:
            return Found(positions, stopped_at=until)
        after, stride = until, min(stride * STRIDE_GROWTH, LONGEST_STRIDE)


async def _rarest(
    session: AsyncSession, drivers: list[_Driver], *, after: int | None, stride: int
) -> tuple[_Driver, int | None]:
    """Return by what to walk, and up to where; None is to the end."""
    if len(drivers) == 1 and not drivers[0].asks_more:
        return drivers[0], None
    best: tuple[_Driver, int] | None = None
    for driver in drivers:
        until = None if driver.is_rare else await session.scalar(driver.end(after=after, stride=stride))
        if until is None:
            return driver, None
        if best is None or driver.order.farther(until, best[1]):
            best = driver, until
    if best is None:
        raise ValueError("a walk needs something to walk by")
    return best


def _drivers(terms: Terms, order: Order, *, dialect: str) -> list[_Driver]:
    begun = terms.beginning
    by_beginning = begun is not None and (begun.words is not None or begun.is_rare)
    whole = terms.whole or (() if by_beginning else (EVERY_IMAGE,))
    drivers = [_Driver(terms, order, dialect, word=word) for word in whole]
    if by_beginning:
        beginning = _Driver(terms, order, dialect, word=None)
        # It leads where it must; else a rare one first, or last, since it is the dearest to look at.
        drivers = [beginning, *drivers] if beginning.is_rare else [*drivers, beginning]
    return drivers


@dataclass(frozen=True)
class _Driver:
    """Postings that a walk may go along: of a word, or of all words that begin so (`word` is None)."""

    terms: Terms
    order: Order
    dialect: str
    word: str | None

    @property
    def is_rare(self) -> bool:
        return self.word is None and self.terms.beginning is not None and self.terms.beginning.is_rare

    @property
    def is_quick(self) -> bool:
        """Whether it is soon seen how far its postings reach."""
        begun = self.terms.beginning
        return self.word is not None or begun is None or begun.words is None or len(begun.words) <= FEW_WORDS

    @property
    def asks_more(self) -> bool:
        """Whether some of its postings may not be of an image asked for."""
        others = [word for word in self.terms.whole if word != self.word]
        is_begun = self.word is not None and self.terms.beginning is not None
        return bool(others or self.terms.conditions or self.terms.without) or is_begun

    def end(self, *, after: int | None, stride: int) -> Select[int]:
        """Return what selects the position at the end of a stride; nothing where fewer postings are left."""
        if self.word is None:
            begun = self._begun(after, None, count=stride).subquery()
            position: Seq = begun.c[self.order.column.key]
            statement = select(position)
        else:
            position = self.order.column
            statement = self.order.walked(select(position))
            statement = statement.where(Posting.word == self.word, *self.order.behind(after))
        return statement.order_by(self.order.sorting(position)).limit(1).offset(stride - 1)

    def images(self, *, after: int | None, until: int | None, count: int) -> Select[int]:
        """Return what selects the first images of a stride that have all terms."""
        if self.word is None:
            begun = self._begun(after, until, count=None if self.asks_more else count).subquery()
            position: Seq = begun.c[self.order.column.key]
            seq: Seq = begun.c.seq
            statement = select(position)
        else:
            position, seq = self.order.column, Posting.seq
            ends = (*self.order.behind(after), *self.order.up_to(until))
            statement = self.order.walked(select(position)).where(Posting.word == self.word, *ends)
        return statement.where(*self._more(seq)).order_by(self.order.sorting(position)).limit(count)

    def _more(self, seq: Seq) -> list[ColumnElement[bool]]:
        more: list[ColumnElement[bool]] = [
            has_term(word, seq).is_not(None) for word in self.terms.whole if word != self.word
        ]
        if self.terms.without is not None:
            more.append(has_term(self.terms.without, seq).is_(None))
        conditions = list(self.terms.conditions)
        if self.word is not None and self.terms.beginning is not None:
            conditions.append(has_beginning(self.terms.beginning.text))
        if conditions:
            more.append(select(literal(1)).where(Image.seq == seq, *conditions).scalar_subquery().is_not(None))
        return more

    def _begun(self, after: int | None, until: int | None, *, count: int | None) -> Select[int, int]:
        """Return what selects postings of words that begin so, each image once; the first `count`, or all."""
        begun = self.terms.beginning
        ends = (*self.order.behind(after), *self.order.up_to(until))
        both = select(Posting.seq, Posting.relevance)
        if begun is None:
            return both.where(false())
        if begun.words is None:
            return both.where(begins_with(begun.text, Posting.word), *ends).distinct()
        if not begun.words:
            return both.where(false())
        either = merged(begun.words, self.order, after=after, until=until, count=count, dialect=self.dialect)
        return select(either.c.seq, either.c.relevance)


def has_term(word: str, seq: Seq) -> ColumnElement[int | None]:
    """Return 1 where an image has a term, else null; as a value, which no optimizer turns around to lead the walk."""
    other = aliased(Posting)
    looked_up = select(literal(1)).with_hint(other, "FORCE INDEX (PRIMARY)", "mysql")
    return looked_up.where(other.word == word, other.seq == seq).scalar_subquery()
