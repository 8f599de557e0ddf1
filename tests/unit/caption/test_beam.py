"""Beam search over a small language whose best sentences can be found by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from caption_service.model.beam import Floats, Group, Ids, Sentence, beam_search
from caption_service.model.vocabulary import END_ID, START_ID

WORDS = 8  # four special tokens and the words 4 to 7


class Chain:
    """A language in which the next word depends on the last one only."""

    def __init__(self, seed: int = 0) -> None:
        table = np.random.default_rng(seed).normal(size=(WORDS, WORDS)) * 2
        self.log_probabilities = (table - np.log(np.exp(table).sum(axis=1, keepdims=True))).astype(np.float32)
        self.rows: list[int] = []

    def __call__(self, last: Ids, origin: Ids) -> Floats:
        assert len(origin) == len(last)
        assert not self.rows or max(origin) < self.rows[-1]
        self.rows.append(len(last))
        return self.log_probabilities[last]

    def score(self, words: tuple[int, ...], length_power: float) -> float:
        path = [START_ID, *words, END_ID]
        total = sum(float(self.log_probabilities[a, b]) for a, b in itertools.pairwise(path))
        return total / (len(words) + 1) ** length_power


def plain(chain: Chain, *, beams: int, longest: int, length_power: float, images: int = 1) -> list[list[Sentence]]:
    """Search with one group, and give nothing up that might win."""
    found = beam_search(
        chain, images=images, groups=[Group(beams)], longest=longest, length_power=length_power, look_ahead=longest
    )
    return [of_groups[0] for of_groups in found]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("length_power", [0.0, 0.7, 1.0])
def test_a_beam_as_wide_as_the_language_finds_the_best_sentence(seed: int, length_power: float) -> None:
    chain, longest = Chain(seed), 4
    everything = [
        words for length in range(1, longest + 1) for words in itertools.product(range(4, WORDS), repeat=length)
    ]
    best = max(everything, key=lambda words: chain.score(words, length_power))

    found = plain(chain, beams=300, longest=longest, length_power=length_power)[0]

    assert found[0].token_ids == best
    assert found[0].score(length_power) == pytest.approx(chain.score(best, length_power), rel=1e-4)


def test_sentences_come_best_first_and_none_twice() -> None:
    found = plain(Chain(), beams=4, longest=6, length_power=0.7)[0]
    scores = [sentence.score(0.7) for sentence in found]
    assert scores == sorted(scores, reverse=True)
    assert len({sentence.token_ids for sentence in found}) == len(found) == 4


def test_images_do_not_disturb_each_other() -> None:
    alone = plain(Chain(), beams=3, longest=5, length_power=0.7)[0]
    together = plain(Chain(), images=3, beams=3, longest=5, length_power=0.7)
    assert together == [alone] * 3


def test_the_search_stops_when_the_end_token_wins() -> None:
    chain = Chain()
    chain.log_probabilities[:] = -20.0
    chain.log_probabilities[START_ID, 4] = 0.0
    chain.log_probabilities[4, END_ID] = 0.0

    found = plain(chain, beams=1, longest=20, length_power=0.7)[0]

    assert found[0].token_ids == (4,)
    assert len(chain.rows) < 5


def test_what_cannot_win_any_more_is_computed_no_further() -> None:
    chain = Chain()
    plain(chain, images=3, beams=4, longest=20, length_power=0.7)
    assert chain.rows[0] == 3  # all beams of an image begin as one
    assert max(chain.rows) == 3 * 4
    assert chain.rows[-1] < 3 * 4
    assert len(chain.rows) < 20


@pytest.mark.parametrize("seed", range(5))
def test_where_only_the_best_is_wanted_it_is_the_same(seed: int) -> None:
    all_wanted, one_wanted = Chain(seed), Chain(seed)
    how = {"images": 2, "longest": 8, "length_power": 0.7, "look_ahead": 8}
    everything = beam_search(all_wanted, groups=[Group(4)], **how)
    best = beam_search(one_wanted, groups=[Group(4, wanted=1)], **how)
    assert [[of_groups[0][:1]] for of_groups in everything] == best
    assert sum(one_wanted.rows) <= sum(all_wanted.rows)


def test_where_only_the_best_is_wanted_it_is_found_sooner() -> None:
    rows = {}
    for wanted in (None, 1):
        chain = Chain()
        beam_search(chain, images=1, groups=[Group(4, wanted=wanted)], longest=20, length_power=0.7)
        rows[wanted] = sum(chain.rows)
    assert rows[1] < rows[None]


def test_who_looks_less_far_ahead_computes_less() -> None:
    far, near = Chain(), Chain()
    for chain, look_ahead in ((far, 20), (near, 0)):
        beam_search(chain, images=1, groups=[Group(4)], longest=20, length_power=0.7, look_ahead=look_ahead)
    assert sum(near.rows) < sum(far.rows)


def test_a_sentence_that_never_ends_is_cut_at_the_longest_length() -> None:
    chain = Chain()
    chain.log_probabilities[:, END_ID] = -50.0
    found = plain(chain, beams=40, longest=3, length_power=1.0)[0]
    assert max(len(sentence.token_ids) for sentence in found) == 3


def test_special_tokens_are_never_said() -> None:
    for sentence in plain(Chain(3), beams=50, longest=4, length_power=0.7)[0]:
        assert sentence.token_ids
        assert min(sentence.token_ids) >= 4


@pytest.mark.parametrize("seed", range(5))
def test_other_groups_leave_the_plain_beam_as_it_is(seed: int) -> None:
    alone = plain(Chain(seed), images=2, beams=3, longest=6, length_power=0.7)
    groups = [Group(3), Group(2, diversity=1.5), Group(2, diversity=1.5)]
    together = beam_search(Chain(seed), images=2, groups=groups, longest=6, length_power=0.7, look_ahead=6)
    assert [of_groups[0] for of_groups in together] == alone


def test_another_group_avoids_the_words_that_were_said() -> None:
    chain = Chain(1)
    same, avoiding = (
        beam_search(chain, images=1, groups=[Group(2), Group(2, diversity)], longest=6, length_power=0.7)[0]
        for diversity in (0.0, 3.0)
    )
    assert same[1] == same[0]
    assert avoiding[1][0].token_ids[0] not in {sentence.token_ids[0] for sentence in avoiding[0]}


def test_avoiding_words_does_not_change_what_they_are_worth() -> None:
    chain = Chain(2)
    for sentence in beam_search(chain, images=1, groups=[Group(2), Group(3, 2.0)], longest=5, length_power=0.7)[0][1]:
        assert sentence.log_probability == pytest.approx(chain.score(sentence.token_ids, 0.0), rel=1e-4)


def test_the_word_log_probability_counts_the_end_token() -> None:
    assert Sentence((4, 5), 0.0).word_log_probability == 0.0
    assert Sentence((4,), 2 * math.log(0.5)).word_log_probability == pytest.approx(math.log(0.5))
