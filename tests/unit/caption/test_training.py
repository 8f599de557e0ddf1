"""Training at toy size: what is read, how it is cut into batches, what is measured."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from caption_service.model.decoder import DecoderSizes, build_decoder
from caption_service.model.vocabulary import END_ID, PADDING_ID, START_ID, Vocabulary
from caption_service.training import scores
from caption_service.training.batches import LENGTHS, CaptionBatches
from caption_service.training.captions import CaptionsFileError, read_captions
from caption_service.training.scores import score_captions
from caption_service.training.teacher import Recipe, Teacher

CAPTIONS = {"1.jpg": ["a red square", "a square on the sky"], "2.jpg": ["the blue sky " * 12]}


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary.from_captions((text for several in CAPTIONS.values() for text in several), min_count=1)


def test_captions_are_grouped_by_image_and_further_columns_ignored(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "c.csv").write_text('image,who,caption\na.jpg,x,"one, two"\na.jpg,y,three\n')
    assert read_captions(tmp_path / "c.csv", images=tmp_path) == {"a.jpg": ["one, two", "three"]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,caption\na.jpg,x\n", "no column image"),
        ("image,caption\n", "no rows"),
        ("image,caption\na.jpg,\n", "line 2"),
        ("image,caption\nlost.jpg,x\n", "lost.jpg"),
    ],
)
def test_a_captions_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(CaptionsFileError, match=words):
        read_captions(tmp_path / "c.csv", images=tmp_path)


def test_an_epoch_holds_every_caption_once(vocabulary: Vocabulary) -> None:
    batches = CaptionBatches(CAPTIONS, vocabulary, batch_size=1)
    epoch = list(batches.epoch(np.random.default_rng(0)))
    assert len(epoch) == len(batches) == 3
    assert sorted(int(batch.image_rows[0]) for batch in epoch) == [0, 0, 1]


def test_the_truth_is_the_sentence_one_word_ahead(vocabulary: Vocabulary) -> None:
    batches = CaptionBatches({"1.jpg": ["a red square"]}, vocabulary, batch_size=1)
    batch = next(batches.epoch(np.random.default_rng(0)))
    words = vocabulary.token_ids("a red square")
    assert batch.said[0].tolist() == [START_ID, *words] + [PADDING_ID] * (LENGTHS[0] - 4)
    assert batch.next_said[0].tolist() == [*words, END_ID] + [PADDING_ID] * (LENGTHS[0] - 4)


def test_a_long_sentence_is_cut_to_the_longest_length(vocabulary: Vocabulary) -> None:
    batch = next(CaptionBatches({"2.jpg": CAPTIONS["2.jpg"]}, vocabulary, batch_size=1).epoch(np.random.default_rng(0)))
    assert batch.said.shape == (1, LENGTHS[-1])
    assert batch.next_said[0, -1] == END_ID


def _teacher(vocabulary: Vocabulary, seed: int = 5) -> Teacher:
    keras.utils.set_random_seed(seed)
    sizes = DecoderSizes(
        len(vocabulary), 7, 1.0, feature_size=6, embedding_size=8, lstm_size=16, attention_size=8, dropout=0.0
    )
    recipe = Recipe(learning_rate=0.03, averaging_momentum=0.5)
    return Teacher(build_decoder(sizes), recipe, steps=60)


def test_a_decoder_learns_the_sentences_it_is_shown(vocabulary: Vocabulary) -> None:
    teacher = _teacher(vocabulary)
    maps = np.abs(np.random.default_rng(2).normal(size=(2, 49, 6))).astype(np.float16)
    batches = CaptionBatches({name: texts[:1] for name, texts in CAPTIONS.items()}, vocabulary, batch_size=2)
    losses = []
    for epoch in range(20):
        for batch in batches.epoch(np.random.default_rng(epoch)):
            losses.append(teacher.step(batch, maps[batch.image_rows]))
    assert np.mean(losses[-2:]) < 0.5 * np.mean(losses[:2])


def test_a_restored_training_goes_on_as_if_it_had_never_stopped(vocabulary: Vocabulary, tmp_path: Path) -> None:
    maps = np.ones((2, 49, 6), np.float16)
    batch = next(CaptionBatches(CAPTIONS, vocabulary, batch_size=2).epoch(np.random.default_rng(0)))
    first, second = _teacher(vocabulary), _teacher(vocabulary, seed=6)
    first.step(batch, maps[batch.image_rows])
    first.save(tmp_path / "state.npz", {"epoch": 1})

    assert second.restore(tmp_path / "state.npz") == {"epoch": 1}
    for one, other in zip(first.averaged_weights(), second.averaged_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_shipped_weights_are_an_average_and_the_trained_ones_stay(vocabulary: Vocabulary) -> None:
    teacher = _teacher(vocabulary)
    maps = np.ones((2, 49, 6), np.float16)
    batch = next(CaptionBatches(CAPTIONS, vocabulary, batch_size=2).epoch(np.random.default_rng(0)))
    for _ in range(3):
        teacher.step(batch, maps[batch.image_rows])
    before = teacher.decoder.get_weights()
    averaged = teacher.averaged_weights()
    assert any(not np.allclose(one, other) for one, other in zip(before, averaged, strict=True))
    for one, other in zip(before, teacher.decoder.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_very_words_of_the_people_score_full_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores.shutil, "which", lambda _: None)
    texts = {"1.jpg": "a dog runs over green grass", "2.jpg": "two men stand on a high mountain"}
    result = score_captions(texts, {image: [text] for image, text in texts.items()})
    assert result["bleu_4"] == pytest.approx(1.0, abs=1e-6)
    assert result["rouge_l"] == pytest.approx(1.0)
    assert (result["tokenizer"], result["meteor"], result["images"]) == ("plain-words", None, 2)


def test_bleu_1_counts_the_shared_words() -> None:
    result = score_captions({"1.jpg": "a dog runs fast"}, {"1.jpg": ["a dog sits still"]}, quick=True)
    assert result["bleu_1"] == pytest.approx(0.5)
