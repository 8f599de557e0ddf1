"""Find what the last word of a query may be the beginning of.

A beginning of few words is those words. One of more words that hardly any image has is the postings between its first
and its last word. What is left is a beginning like `s`, which many images have: they are found by looking at one after
the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from storage_service.search import begins_with
from storage_service.tables import Posting, VocabularyWord

MOST_WORDS = 48
MOST_POSTINGS = 4000


@dataclass(frozen=True)
class Beginning:
    """A beginning, and all words that begin so, unless they are too many."""

    text: str
    words: tuple[str, ...] | None
    is_rare: bool
    """Whether at most MOST_POSTINGS are between the first and the last word."""


async def look_up(session: AsyncSession, text: str) -> Beginning:
    """Return what a beginning stands for now."""
    begun = select(VocabularyWord.word).where(begins_with(text, VocabularyWord.word))
    words = list(await session.scalars(begun.order_by(VocabularyWord.word).limit(MOST_WORDS + 1)))
    if len(words) <= MOST_WORDS:
        return Beginning(text, words=tuple(words), is_rare=False)
    beyond = select(Posting.seq).where(begins_with(text, Posting.word)).limit(1).offset(MOST_POSTINGS)
    return Beginning(text, words=None, is_rare=await session.scalar(beyond) is None)
