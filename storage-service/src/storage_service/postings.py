"""Which terms find an image, kept in step with its row: its words, and what it is filtered by.

A posting says that a term is an image's, and how relevant the image is to whoever asks for that term. Both orders of a
page, newest and most relevant first, are ranges of an index for each term. Relevance is how few words the image has
besides; of equals the newest comes first. That is of the image alone, so a newer upload shifts nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.orm import Session, attributes

from storage_service import label_counts
from storage_service.new_rows import NewRow
from storage_service.search import distinct_words
from storage_service.tables import Image, Posting, VocabularyWord

EVERY_IMAGE = ":"
SEQ_BITS = 40
MOST_WORDS = 16_384
_ENTER = {
    dialect: f"INSERT INTO {Posting.__tablename__} (word, seq, relevance) VALUES ({mark}, {mark}, {mark})"  # noqa: S608
    for dialect, mark in (("sqlite", "?"), ("mysql", "%s"))
}
_LEARN = f"INSERT OR IGNORE INTO {VocabularyWord.__tablename__} (word) VALUES (?)"  # noqa: S608
_LAST_SEQ: int = (1 << SEQ_BITS) - 1


@dataclass(frozen=True)
class Indexed:
    """What of an image's row makes its terms."""

    seq: int
    label: str
    status: str
    label_source: str
    search_words: str
    word_count: int

    @classmethod
    def of(cls, image: Image | NewRow) -> Indexed:
        """Read an image as it is now."""
        return cls._read(image, getattr)

    @classmethod
    def before(cls, image: Image) -> Indexed:
        """Read an image as it was before the changes that are being written."""
        return cls._read(image, _before)

    @classmethod
    def _read(cls, image: Any, value: Callable[[Any, str], Any]) -> Indexed:
        return cls(
            seq=image.seq,
            label=value(image, "label"),
            status=value(image, "status"),
            label_source=value(image, "label_source"),
            search_words=value(image, "search_words"),
            word_count=value(image, "word_count"),
        )

    def postings(self) -> dict[str, int]:
        """Return each term of the image with its relevance."""
        relevance = relevance_of(word_count=self.word_count, seq=self.seq)
        filters = (
            EVERY_IMAGE,
            filter_term("label", self.label),
            filter_term("status", self.status),
            filter_term("source", self.label_source),
        )
        return dict.fromkeys([*filters, *distinct_words(self.search_words)], relevance)


def filter_term(kind: str, value: str) -> str:
    """Return the term of images that have a label, status or source; no word has a colon, and none begins so."""
    return f":{kind}:{value}"


def relevance_of(*, word_count: int, seq: int) -> int:
    """Return a number that is smaller for more relevant images: fewer words, then newer."""
    return min(word_count, MOST_WORDS) << SEQ_BITS | (_LAST_SEQ - seq)


def read_relevance(relevance: int) -> tuple[int, int]:
    """Return the word count and the row number that a relevance was made of."""
    return relevance >> SEQ_BITS, _LAST_SEQ - (relevance & _LAST_SEQ)


def enter(connection: Connection, images: Iterable[NewRow]) -> None:
    """Index new images, whose rows are there."""
    _replace(connection, [(None, Indexed.of(image)) for image in images])


def learn(connection: Connection, words: set[str]) -> None:
    """Add to the vocabulary what is not in it; nothing is ever taken out, so others' words need not be waited for."""
    if connection.dialect.name == "sqlite":  # where nobody else writes meanwhile, and to ask takes longer
        connection.exec_driver_sql(_LEARN, [(word,) for word in sorted(words)])
        return
    known = set(connection.scalars(select(VocabularyWord.word).where(VocabularyWord.word.in_(words))))
    if new := sorted(words - known):  # in order, so that two that learn the same words do not wait for each other
        connection.execute(insert(VocabularyWord).prefix_with("IGNORE"), [{"word": word} for word in new])


def keep_in_step(session: Session, _: object) -> None:
    """Index what a session has just written to images' rows; it is called after each flush."""
    changed = [(Indexed.before(image), Indexed.of(image)) for image in session.dirty if isinstance(image, Image)]
    gone = [(Indexed.before(image), None) for image in session.deleted if isinstance(image, Image)]
    new = [(None, Indexed.of(image)) for image in session.new if isinstance(image, Image)]
    if changes := [(before, after) for before, after in [*changed, *gone, *new] if before != after]:
        _replace(session.connection(), changes)


def _replace(connection: Connection, changes: Sequence[tuple[Indexed | None, Indexed | None]]) -> None:
    entered: list[tuple[str, int, int]] = []
    counts: dict[str, int] = {}
    for before, after in changes:
        old = before.postings() if before else {}
        new = after.postings() if after else {}
        if before and (left := [word for word, relevance in old.items() if new.get(word) != relevance]):
            connection.execute(delete(Posting).where(Posting.seq == before.seq, Posting.word.in_(left)))
        if after:
            entered += [(word, after.seq, relevance) for word, relevance in new.items() if old.get(word) != relevance]
        for each, change in ((before, -1), (after, 1)):
            if each:
                counts[each.label] = counts.get(each.label, 0) + change
    if entered:
        # Twenty for an image: given to the driver as they are, they take half the time.
        connection.exec_driver_sql(_ENTER[connection.dialect.name], sorted(entered))
        if words := {word for word, _, _ in entered if not word.startswith(EVERY_IMAGE)}:
            learn(connection, words)
    label_counts.note(connection, counts)


def _before(image: Image, name: str) -> Any:
    deleted = attributes.get_history(image, name).deleted
    return deleted[0] if deleted else getattr(image, name)
