"""Answer a page of images: by newest, by relevance in two rounds, or by what the model was least certain of.

Most relevant are images with the last word whole; those with a longer word that begins so come after all of them.
Pages go on behind an image, not at a number of rows: what is uploaded or deleted meanwhile makes no page lose or
repeat an image.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from storage_service.beginnings import look_up
from storage_service.cursors import Cursor
from storage_service.finding import Found, Terms, has_term, walk
from storage_service.orders import MOST_RELEVANT_FIRST, NEWEST_FIRST
from storage_service.pages import PageQuery
from storage_service.postings import read_relevance, relevance_of
from storage_service.search import NO_WORDS, has_beginning, phrase_conditions
from storage_service.tables import Image, Posting

ONLY_BEGUN = 1_000_000
"""Added to the rank of an image that has only a longer word; no image has so many words."""
FEW_IMAGES = 4000
CLOCKS_AGREE = timedelta(hours=1)
"""Two images whose times are farther apart than this have their row numbers in the same order. A time is taken a moment
before the number, and clocks are set right by less."""


class ImagePages:
    """Finds pages in one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def page(self, query: PageQuery) -> tuple[list[int], Cursor | None]:
        """Return the row numbers of a page, and the cursor of the next if there is one.

        A page may be short though there is a next one, see `finding`.
        """
        found, following = await self.cursors(query)
        return [cursor.seq for cursor in found], following

    async def cursors(self, query: PageQuery) -> tuple[list[Cursor], Cursor | None]:
        """Return the cursor of each image of a page, and that of the next page if there is one."""
        words = NO_WORDS if query.words is None else query.words.words
        begun = None if words.beginning is None else await look_up(self._session, words.beginning)
        conditions = (*query.image_conditions(), *phrase_conditions(words.phrases))
        terms = Terms((*words.whole, *query.filter_terms()), begun, conditions=conditions)
        match query.sort:
            case "newest":
                found, stopped_at = await self._newest(query, terms)
            case "relevance":
                found, stopped_at = await self._most_relevant(query, terms)
            case "uncertain":
                found, stopped_at = await self._least_certain(query, terms), None
        return found[: query.limit], found[query.limit - 1] if len(found) > query.limit else stopped_at

    async def _newest(self, query: PageQuery, terms: Terms) -> tuple[list[Cursor], Cursor | None]:
        first, last = await self._bounds(query)
        behind = None if query.after is None else query.after.seq
        after = min((seq for seq in (first, behind) if seq is not None), default=None)
        found = await walk(self._session, terms, NEWEST_FIRST, after=after, last=last, count=query.limit + 1)
        return _cursors(found, _newest_cursor)

    async def _most_relevant(self, query: PageQuery, terms: Terms) -> tuple[list[Cursor], Cursor | None]:
        begun = terms.beginning
        cursors: list[Cursor] = []
        if begun is None or query.after is None or query.after.rank < ONLY_BEGUN:
            whole = Terms((*terms.whole, *([begun.text] if begun else [])), conditions=terms.conditions)
            cursors, stopped_at = await self._round(query, whole, first_rank=0, count=query.limit + 1)
            if begun is None or stopped_at is not None or len(cursors) > query.limit:
                return cursors, stopped_at
        longer = Terms(terms.whole, begun, without=begun.text, conditions=terms.conditions)
        count = query.limit + 1 - len(cursors)
        more, stopped_at = await self._round(query, longer, first_rank=ONLY_BEGUN, count=count)
        return cursors + more, stopped_at

    async def _round(
        self, query: PageQuery, terms: Terms, *, first_rank: int, count: int
    ) -> tuple[list[Cursor], Cursor | None]:
        after = None
        if query.after is not None and query.after.rank >= first_rank:
            after = relevance_of(word_count=int(query.after.rank) - first_rank, seq=query.after.seq)
        found = await walk(self._session, terms, MOST_RELEVANT_FIRST, after=after, last=None, count=count)

        def cursor(relevance: int) -> Cursor:
            word_count, seq = read_relevance(relevance)
            return Cursor(sort="relevance", rank=first_rank + word_count, seq=seq)

        return _cursors(found, cursor)

    async def _least_certain(self, query: PageQuery, terms: Terms) -> list[Cursor]:
        """Walk the images by certainty and look each up among the terms; or sort those of a term that few have."""
        statement = select(Image.certainty, Image.seq).where(*terms.conditions)
        if query.after is not None:
            rank, seq = query.after.rank, query.after.seq
            statement = statement.where(
                Image.certainty >= rank, or_(Image.certainty > rank, and_(Image.certainty == rank, Image.seq > seq))
            )
        for column, value in ((Image.label, query.label), (Image.status, query.status)):
            if value is not None:
                statement = statement.where(column == value)
        few = await self._few(terms)
        if few is not None:
            walked = aliased(Posting)
            statement = statement.join(walked, walked.seq == Image.seq).where(walked.word == few)
        for word in terms.whole:
            if word != few:
                statement = statement.where(has_term(word, Image.seq).is_not(None))
        if terms.beginning is not None:
            statement = statement.where(has_beginning(terms.beginning.text))
        ordered = statement.order_by(Image.certainty, Image.seq).limit(query.limit + 1)
        return [
            Cursor(sort="uncertain", rank=certainty, seq=seq) for certainty, seq in await self._session.execute(ordered)
        ]

    async def _few(self, terms: Terms) -> str | None:
        """Return a term that few images have, or None."""
        for word in terms.whole:
            beyond = select(Posting.seq).where(Posting.word == word).limit(1).offset(FEW_IMAGES)
            if await self._session.scalar(beyond) is None:
                return word
        return None

    async def _bounds(self, query: PageQuery) -> tuple[int | None, int | None]:
        """Return row numbers that all images of the time asked for are below, and above."""
        first = last = None
        if query.created_before is not None:
            later = select(Image.seq).where(Image.created_at > query.created_before + CLOCKS_AGREE)
            first = await self._session.scalar(later.order_by(Image.created_at, Image.seq).limit(1))
        if query.created_after is not None:
            earlier = select(Image.seq).where(Image.created_at < query.created_after - CLOCKS_AGREE)
            latest = earlier.order_by(Image.created_at.desc(), Image.seq.desc()).limit(1)
            last = await self._session.scalar(latest)
        return first, last


def _newest_cursor(seq: int) -> Cursor:
    return Cursor(sort="newest", seq=seq)


def _cursors(found: Found, cursor: Callable[[int], Cursor]) -> tuple[list[Cursor], Cursor | None]:
    stopped_at = None if found.stopped_at is None else cursor(found.stopped_at)
    return [cursor(position) for position in found.positions], stopped_at
