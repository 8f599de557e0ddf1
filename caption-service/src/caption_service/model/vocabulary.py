"""Words and their token ids.

One module turns sentences into ids and back, for training and serving alike.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PADDING_ID = 0
START_ID = 1
END_ID = 2
UNKNOWN_ID = 3
SPECIAL_TOKENS = ("<pad>", "<start>", "<end>", "<unk>")

_WORD = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*")


def split_words(sentence: str) -> list[str]:
    """Return the lower-case words of a sentence, without punctuation; `man's` and `t-shirt` stay whole."""
    return _WORD.findall(sentence.lower())


@dataclass(frozen=True)
class Vocabulary:
    """The words a decoder can say; a token's place in `tokens` is its id."""

    tokens: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.tokens[: len(SPECIAL_TOKENS)] != SPECIAL_TOKENS:
            raise ValueError(f"a vocabulary starts with {', '.join(SPECIAL_TOKENS)}")
        if len(set(self.tokens)) != len(self.tokens):
            raise ValueError("a vocabulary holds each token once")

    @classmethod
    def from_captions(cls, captions: Iterable[str], *, min_count: int) -> Vocabulary:
        """Collect the words seen at least `min_count` times, the most frequent first."""
        counts = Counter(word for caption in captions for word in split_words(caption))
        frequent = sorted((word for word, n in counts.items() if n >= min_count), key=lambda w: (-counts[w], w))
        return cls(tokens=(*SPECIAL_TOKENS, *frequent))

    @classmethod
    def read(cls, file: Path) -> Vocabulary:
        """Read the JSON list that `write` wrote."""
        return cls(tokens=tuple(json.loads(file.read_text(encoding="utf-8"))))

    def write(self, file: Path) -> None:
        """Write the tokens as a JSON list."""
        file.write_text(json.dumps(self.tokens, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")

    def __len__(self) -> int:
        return len(self.tokens)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {token: token_id for token_id, token in enumerate(self.tokens)}

    def token_ids(self, sentence: str) -> list[int]:
        """Return the ids of the sentence's words, without start and end; unknown words become `<unk>`."""
        return [self._ids.get(word, UNKNOWN_ID) for word in split_words(sentence)]

    def sentence(self, token_ids: Sequence[int]) -> str:
        """Join the words up to the first end token; special tokens are left out."""
        words = []
        for token_id in token_ids:
            if token_id == END_ID:
                break
            if token_id >= len(SPECIAL_TOKENS):
                words.append(self.tokens[token_id])
        return " ".join(words)
