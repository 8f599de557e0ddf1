from __future__ import annotations

from pathlib import Path

import pytest

from caption_service.model.vocabulary import END_ID, SPECIAL_TOKENS, UNKNOWN_ID, Vocabulary, split_words


def test_words_are_lower_case_and_without_punctuation() -> None:
    assert split_words("A man's T-shirt , red .") == ["a", "man's", "t-shirt", "red"]


def test_rare_words_are_left_out_and_frequent_ones_come_first() -> None:
    vocabulary = Vocabulary.from_captions(["a dog", "a dog", "a cat"], min_count=2)
    assert vocabulary.tokens == (*SPECIAL_TOKENS, "a", "dog")
    assert vocabulary.token_ids("a cat") == [4, UNKNOWN_ID]


def test_a_sentence_ends_at_the_first_end_token() -> None:
    vocabulary = Vocabulary((*SPECIAL_TOKENS, "a", "dog"))
    assert vocabulary.sentence([4, 5, END_ID, 4]) == "a dog"


def test_a_vocabulary_survives_writing_and_reading(tmp_path: Path) -> None:
    vocabulary = Vocabulary((*SPECIAL_TOKENS, "a", "café"))
    vocabulary.write(tmp_path / "v.json")
    assert Vocabulary.read(tmp_path / "v.json") == vocabulary


@pytest.mark.parametrize("tokens", [("a",), (*SPECIAL_TOKENS, "a", "a")])
def test_a_list_that_is_no_vocabulary_is_refused(tokens: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="vocabulary"):
        Vocabulary(tokens)
