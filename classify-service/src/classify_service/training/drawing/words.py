"""Text that looks like text: prose, titles, names and formulas of a made-up institution, in five languages.

At a preview's size nobody reads it, so what counts is the length of words and lines, not sense. Where dictionaries
lie at run time (`/usr/share/dict`), rare words come out of them; without them the lists here do alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

import numpy as np

from classify_service.training.drawing import vocabulary

LANGUAGES = ("en", "de", "es", "hi", "zh")
DICTIONARIES = {"en": "american-english", "de": "ngerman", "es": "spanish"}
DICTIONARY_WORDS = 3000
RARE_WORD_SHARE = 0.18


@cache
def _dictionary(language: str) -> tuple[str, ...]:
    """Return every so manieth lower-case word of a dictionary, or nothing where there is none."""
    path = Path("/usr/share/dict") / DICTIONARIES.get(language, "none")
    if not path.is_file():
        return ()
    words = [word for word in path.read_text(encoding="utf-8").split() if word.isalpha() and 3 < len(word) < 12]
    lower = [word for word in words if word.islower()]
    return tuple(lower[:: max(1, len(lower) // DICTIONARY_WORDS)])


@dataclass(frozen=True)
class Words:
    """All text of one picture, in one language; the same generator state gives the same text."""

    rng: np.random.Generator
    language: str = "en"

    def one(self, choices: tuple[str, ...] | list[str]) -> str:
        """Return one of the choices."""
        return choices[int(self.rng.integers(len(choices)))]

    def number(self, low: int, high: int) -> int:
        """Return a whole number from `low` up to and with `high`."""
        return int(self.rng.integers(low, high + 1))

    def word(self) -> str:
        """Return a word: mostly a common one."""
        rare = _dictionary(self.language)
        if rare and self.rng.random() < RARE_WORD_SHARE:
            return self.one(rare)
        return self.one(vocabulary.COMMON[self.language])

    def phrase(self, low: int = 2, high: int = 6) -> str:
        """Return that many words without a full stop."""
        return self._join([self.word() for _ in range(self.number(low, high))])

    def sentence(self, low: int = 7, high: int = 22) -> str:
        """Return a sentence of that many words."""
        words = [self.word() for _ in range(self.number(low, high))]
        if len(words) > 9 and self.language != "zh":
            comma = self.number(3, len(words) - 3)
            words[comma] += ","
        text = self._join(words)
        return text[:1].upper() + text[1:] + {"hi": " ।", "zh": "。"}.get(self.language, ".")

    def paragraph(self, low: int = 2, high: int = 6) -> str:
        """Return that many sentences."""
        return ("" if self.language == "zh" else " ").join(self.sentence() for _ in range(self.number(low, high)))

    def title(self, low: int = 2, high: int = 6) -> str:
        """Return a heading; in English, words that mean something to a school."""
        if self.language == "en":
            return self.one(vocabulary.TITLE_FORMS).format(
                subject=self.one(vocabulary.SUBJECTS), topic=self.one(vocabulary.TOPICS)
            )
        text = self.phrase(low, high)
        return text[:1].upper() + text[1:]

    def subject(self) -> str:
        """Return a subject that is taught."""
        return self.one(vocabulary.SUBJECTS)

    def person(self) -> str:
        """Return a person's name, often with a title."""
        first = self.one(vocabulary.FIRST_NAMES)
        first = f"{first[0]}." if self.rng.random() < 0.3 else first
        return f"{self.one(('', '', 'Dr. ', 'Prof. ', 'Mr. ', 'Ms. '))}{first} {self.one(vocabulary.LAST_NAMES)}"

    def place(self) -> str:
        """Return a town's name."""
        return self.one(vocabulary.PLACES)

    def institution(self) -> str:
        """Return the name of a school, university or office."""
        return self.one(vocabulary.INSTITUTION_FORMS).format(
            place=self.place(), name=self.one(vocabulary.LAST_NAMES), subject=self.subject()
        )

    def date(self) -> str:
        """Return a date in one of many forms."""
        day, month, year = self.number(1, 28), self.number(1, 12), self.number(1998, 2026)
        name = vocabulary.MONTHS[month - 1]
        return self.one(
            [
                f"{day:02d}/{month:02d}/{year}",
                f"{day:02d}.{month:02d}.{year}",
                f"{day} {name} {year}",
                f"{name} {day}, {year}",
                f"{day:02d}-{month:02d}-{year}",
                f"{name[:3]} {day}, {year}",
            ]
        )

    def reference(self) -> str:
        """Return a reference number as offices give it."""
        letters = "".join(chr(65 + self.number(0, 25)) for _ in range(self.number(2, 4)))
        return self.one(
            [
                f"{letters}/{self.number(1, 99)}/{self.number(2001, 2026)}-{self.number(1, 999)}",
                f"No. {letters}-{self.number(10, 99)}/{self.number(1, 999)}",
                f"F.No. {self.number(1, 60)}-{self.number(1, 30)}/{self.number(2001, 2026)}-{letters}",
                f"{self.number(10000, 999999)}",
                f"{letters}.{self.number(1, 9)}({self.number(1, 99)})/{self.number(2001, 2026)}",
            ]
        )

    def phone(self) -> str:
        """Return a telephone number."""
        return f"+{self.number(1, 99)} {self.number(10, 999)} {self.number(100, 999)} {self.number(1000, 9999)}"

    def question(self) -> str:
        """Return a question of an exam."""
        if self.language != "en":
            mark = {"zh": "？"}.get(self.language, "?")
            return self.sentence(5, 16).rstrip(".।。 ") + mark
        text = self.one(vocabulary.QUESTION_FORMS).format(
            topic=self.one(vocabulary.TOPICS), other=self.one(vocabulary.TOPICS), number=self.number(2, 90)
        )
        return text if self.rng.random() < 0.6 else f"{self.sentence()} {text}"

    def code(self, lines: int) -> str:
        """Return source code as plain text, escaped for HTML."""
        depth, written = 0, []
        for _ in range(lines):
            form = self.one(vocabulary.CODE_FORMS)
            name, other = self.one(vocabulary.CODE_NAMES), self.one(vocabulary.CODE_NAMES)
            written.append("    " * depth + form.format(name=name, other=other, number=self.number(0, 99)))
            if form.endswith((":", "{")):
                depth = min(3, depth + 1)
            elif self.rng.random() < 0.3:
                depth = max(0, depth - 1)
        return escape("\n".join(written))

    def _join(self, words: list[str]) -> str:
        return ("" if self.language == "zh" else " ").join(words)
