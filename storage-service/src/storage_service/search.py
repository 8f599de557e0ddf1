"""Find images by words, with the same answer from SQLite's FTS5 and MySQL's FULLTEXT.

The two cut text into words by different rules, ignore different words, and read different signs as operators. So text
becomes words here, once, and both databases index words they cannot read in two ways: lower-case ASCII, none shorter
than three characters (MySQL's limit), none that is a stop word. A query is cut the same way: its signs are gone before
any database sees it.

The order by relevance is ours, too. Every image found has every word asked for, once; what is left to tell them apart
is how few other words an image has, and whether the last word was meant whole. The databases' own scores say little
more, differ, and shift with each upload, so that no page could go on where the last one ended.
"""

from __future__ import annotations

import re
import unicodedata

from sqlalchemy import ColumnElement, Select, case, column, func, literal, table
from sqlalchemy.dialects.mysql import match

from storage_service.tables import Image

MAX_QUERY_WORDS = 64
MAX_WORD_LENGTH = 80  # MySQL indexes words of up to 84 characters

_PADDING = "w_"
_ONLY_THE_BEGINNING = 1_000_000  # words; further away than any image with the whole word

# Chinese and Japanese are written without spaces: each sign is a word.
_SIGNS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_SIGNS}]|[^\W_{_SIGNS}]+")

_FTS = table("images_fts", column("rowid"), column("search_words"))


def search_words(*texts: str) -> list[str]:
    """Return the distinct words of the texts as they are indexed."""
    return list(dict.fromkeys(word for text in texts for word in _words(text)))


class WordQuery:
    """Words that an image must all have; the last may be the beginning of one."""

    def __init__(self, text: str) -> None:
        """Cut what a person typed; words after MAX_QUERY_WORDS are not looked for."""
        self._words = _words(text)[:MAX_QUERY_WORDS]

    @property
    def is_empty(self) -> bool:
        """Whether there is no word in it: then no image can be found."""
        return not self._words

    def narrow(self, statement: Select[Image], dialect: str) -> Select[Image]:
        """Return a statement on images that keeps only those with the words."""
        if dialect == "sqlite":
            return statement.join(_FTS, _FTS.c.rowid == Image.seq).where(_FTS.c.search_words.match(self._fts5()))
        has_words = match(Image.search_words.expression, against=self._boolean_mode()).in_boolean_mode()
        return statement.where(has_words)

    def distance(self) -> ColumnElement[int]:
        """Return how far an image that has the words is from having only them; 0 is nearest."""
        words_in_spaces = literal(" ") + Image.search_words + literal(" ")
        has_last_word_whole = func.instr(words_in_spaces, f" {self._words[-1]} ") > 0
        return Image.word_count + case((has_last_word_whole, 0), else_=_ONLY_THE_BEGINNING)

    def _fts5(self) -> str:
        return " ".join(f'"{word}"' for word in self._words) + "*"

    def _boolean_mode(self) -> str:
        return " ".join(f"+{word}" for word in self._words) + "*"


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(char for char in folded if unicodedata.category(char) != "Mn")
    return [(_PADDING + "".join(map(_in_ascii, word)))[:MAX_WORD_LENGTH] for word in _WORD.findall(plain)]


def _in_ascii(char: str) -> str:
    return char if char.isascii() else f"_{ord(char):x}_"
