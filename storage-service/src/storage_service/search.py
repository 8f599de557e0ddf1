"""Cut text into words, the same for what is indexed and for what is asked.

Words are lower-case ASCII without accents; other signs become their code, so that both databases compare them as bytes
and neither reads any of them as an operator. Double quotes around words ask for them side by side; every other sign of
a query only ends a word. The last word may be the beginning of one, unless it is in quotes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute

from storage_service.tables import Image, Posting

MAX_QUERY_WORDS = 64
MAX_WORD_LENGTH = 80
AFTER_ALL_WORDS = "~"
"""Sorts behind every sign that a word may have."""

FIELD_BOUNDARY = "|"
"""Stands between caption, label and file name, so that no phrase reaches from one into the next."""

# Chinese and Japanese are written without spaces: each sign is a word.
_SIGNS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_SIGNS}]|[^\W_{_SIGNS}]+")
_QUOTES = re.compile('["\u201c\u201d\u201e\u00ab\u00bb]')


@dataclass(frozen=True)
class Words:
    """What an image must have, in the order of the query."""

    whole: tuple[str, ...]
    """Distinct, those of phrases, too."""
    beginning: str | None
    phrases: tuple[tuple[str, ...], ...]
    """Of at least two words each."""


NO_WORDS = Words(whole=(), beginning=None, phrases=())


def search_text(*fields: str) -> tuple[str, int]:
    """Return the words of an image's fields as they are kept, and how many distinct ones there are."""
    cut = [words_of(field) for field in fields]
    distinct = {word for words in cut for word in words}
    return f" {FIELD_BOUNDARY} ".join(" ".join(words) for words in cut), len(distinct)


def distinct_words(text: str) -> list[str]:
    """Return the words of what `search_text` gave."""
    return list(dict.fromkeys(word for word in text.split() if word != FIELD_BOUNDARY))


def words_of(text: str) -> list[str]:
    """Return the words of a text in their order."""
    if text.isascii():  # as most are: nothing to fold but the case
        return [word[:MAX_WORD_LENGTH] for word in _WORD.findall(text.lower())]
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(char for char in folded if unicodedata.category(char) != "Mn")
    return ["".join(map(_in_ascii, word))[:MAX_WORD_LENGTH] for word in _WORD.findall(plain)]


class WordQuery:
    """What a person typed, as words."""

    def __init__(self, text: str) -> None:
        """Cut the text; words after MAX_QUERY_WORDS are not looked for."""
        self.words = _read(text)

    @property
    def is_empty(self) -> bool:
        """Whether there is no word in it: then no image can be found."""
        return not (self.words.whole or self.words.beginning)

    def narrow(self, statement: Select[Image]) -> Select[Image]:
        """Return a statement on images that keeps only those with the words, in whatever order it asks for."""
        for word in self.words.whole:
            statement = statement.where(Image.seq.in_(select(Posting.seq).where(Posting.word == word)))
        if self.words.beginning is not None:
            some = select(Posting.seq).where(begins_with(self.words.beginning, Posting.word))
            statement = statement.where(Image.seq.in_(some))
        return statement.where(*phrase_conditions(self.words.phrases))


def begins_with(beginning: str, word: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Return the condition on a column of words that they begin so."""
    return word.between(beginning, beginning + AFTER_ALL_WORDS)


def phrase_conditions(phrases: Iterable[tuple[str, ...]]) -> list[ColumnElement[bool]]:
    """Return the conditions on an image that its words stand side by side."""
    return [_contains(f" {' '.join(phrase)} ") for phrase in phrases]


def has_beginning(beginning: str) -> ColumnElement[bool]:
    """Return the condition on an image that one of its words begins so."""
    return _contains(f" {beginning}")


def _contains(part: str) -> ColumnElement[bool]:
    return func.instr(literal(" ").concat(Image.search_words).concat(literal(" ")), part) > 0


def _read(text: str) -> Words:
    # Every second part was between two quotes; a last quote without another is a sign like any other.
    parts = _QUOTES.split(text)
    if len(parts) % 2 == 0:
        parts[-2:] = [" ".join(parts[-2:])]
    whole: list[str] = []
    phrases: list[tuple[str, ...]] = []
    beginning = None
    for at, part in enumerate(parts):
        words = words_of(part)[: max(0, MAX_QUERY_WORDS - len(whole))]
        if not words:
            continue
        is_phrase = at % 2 == 1
        if is_phrase and len(words) > 1:
            phrases.append(tuple(words))
        whole += words
        beginning = None if is_phrase else words[-1]
    if beginning is not None:
        whole.pop()
    return Words(whole=tuple(dict.fromkeys(whole)), beginning=beginning, phrases=tuple(phrases))


def _in_ascii(char: str) -> str:
    return char if char.isascii() else f"_{ord(char):x}_"
