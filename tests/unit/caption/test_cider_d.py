"""CIDEr-D on token ids: the figures of the scorer that the field reports, without its strings."""

from __future__ import annotations

import pytest
from pycocoevalcap.cider.cider import Cider

from caption_service.training.cider_d import CiderD

HUMAN = {
    "dog": ["a brown dog runs through the snow", "a dog is running in deep snow", "the dog plays in snow"],
    "climber": ["a man climbs a steep rock", "a climber on a rock face", "a man in red climbs"],
    "children": ["two children play with a ball", "kids playing ball on grass", "two kids with a red ball"],
}
SAID = {
    "dog": "a dog runs in the snow",
    "climber": "a man climbs a rock in the snow with a red ball",
    "children": "a dog",
}
WORDS = sorted({word for captions in [*HUMAN.values(), list(SAID.values())] for s in captions for word in s.split()})


def _ids(sentence: str) -> list[int]:
    return [WORDS.index(word) for word in sentence.split()]


@pytest.mark.parametrize("image", list(HUMAN))
def test_reward_equals_the_scorers_cider(image: str) -> None:
    reward = CiderD([[_ids(caption) for caption in captions] for captions in HUMAN.values()])
    _, scores = Cider().compute_score(HUMAN, {name: [sentence] for name, sentence in SAID.items()})
    assert reward.score(list(HUMAN).index(image), _ids(SAID[image])) == pytest.approx(
        scores[list(HUMAN).index(image)], rel=1e-6
    )


def test_human_words_earn_more_than_a_shuffle_of_them() -> None:
    reward = CiderD([[_ids(caption) for caption in captions] for captions in HUMAN.values()])
    caption = _ids(HUMAN["dog"][0])
    assert reward.score(0, caption) > reward.score(0, caption[::-1]) > 0


def test_an_empty_sentence_earns_nothing() -> None:
    assert CiderD([[_ids(HUMAN["dog"][0])]]).score(0, []) == 0
