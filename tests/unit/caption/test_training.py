"""Training at toy size: what is read, how it is cut into batches, what is measured."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from caption_service.model.architectures import build_by_name
from caption_service.model.sight import DenseWeightsError
from caption_service.model.vocabulary import END_ID, PADDING_ID, START_ID, Vocabulary
from caption_service.training import scores
from caption_service.training.batches import LENGTHS, CaptionBatches
from caption_service.training.captions import CaptionsFileError, hold_back, read_captions
from caption_service.training.dense_weights import download_dense_weights
from caption_service.training.options import read_options
from caption_service.training.run import TrainingRun
from caption_service.training.scores import score_captions
from caption_service.training.teacher import Recipe, Teacher, averaging_momentum
from tests.fakes import manifest

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


SIZES = {
    "attention": {"grid_side": 7, "feature_size": 6, "attention_size": 8},
    "merge": {"sight": "regions", "vector_size": 6},
}


def _teacher(vocabulary: Vocabulary, architecture: str, *, seed: int = 5, dropout: float = 0.0) -> Teacher:
    keras.utils.set_random_seed(seed)
    sizes = {"vocabulary_size": len(vocabulary), "feature_rms": 1.0, "embedding_size": 8, "lstm_size": 16}
    decoder = build_by_name(architecture, sizes | SIZES[architecture] | {"dropout": dropout})
    return Teacher(decoder, Recipe(learning_rate=0.03, averaging_momentum=0.5), steps=60)


def _seen(teacher: Teacher) -> np.ndarray:
    shape = (2, *teacher.decoder.sizes.seen_shape)
    return np.abs(np.random.default_rng(2).normal(size=shape)).astype(np.float16)


@pytest.mark.parametrize("architecture", sorted(SIZES))
def test_a_decoder_learns_the_sentences_it_is_shown(vocabulary: Vocabulary, architecture: str) -> None:
    teacher = _teacher(vocabulary, architecture)
    seen = _seen(teacher)
    batches = CaptionBatches({name: texts[:1] for name, texts in CAPTIONS.items()}, vocabulary, batch_size=2)
    losses = []
    for epoch in range(20):
        for batch in batches.epoch(np.random.default_rng(epoch)):
            losses.append(teacher.step(batch, seen[batch.image_rows]))
    assert np.mean(losses[-2:]) < 0.5 * np.mean(losses[:2])


@pytest.mark.parametrize("architecture", sorted(SIZES))
def test_a_restored_training_goes_on_as_if_it_had_never_stopped(
    vocabulary: Vocabulary, tmp_path: Path, architecture: str
) -> None:
    batch = next(CaptionBatches(CAPTIONS, vocabulary, batch_size=2).epoch(np.random.default_rng(0)))
    first = _teacher(vocabulary, architecture, dropout=0.5)
    second = _teacher(vocabulary, architecture, seed=6, dropout=0.5)
    seen = _seen(first)[batch.image_rows]
    first.step(batch, seen)
    first.save(tmp_path / "state.npz", {"epoch": 1})

    assert second.restore(tmp_path / "state.npz") == {"epoch": 1}
    for teacher in (first, second):
        teacher.step(batch, seen)
    for one, other in zip(first.averaged_weights(), second.averaged_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_shipped_weights_are_an_average_and_the_trained_ones_stay(vocabulary: Vocabulary) -> None:
    teacher = _teacher(vocabulary, "merge")
    batch = next(CaptionBatches(CAPTIONS, vocabulary, batch_size=2).epoch(np.random.default_rng(0)))
    for _ in range(3):
        teacher.step(batch, _seen(teacher)[batch.image_rows])
    before = teacher.decoder.get_weights()
    averaged = teacher.averaged_weights()
    assert any(not np.allclose(one, other) for one, other in zip(before, averaged, strict=True))
    for one, other in zip(before, teacher.decoder.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_average_of_a_short_training_does_not_reach_back_to_its_random_start() -> None:
    assert averaging_momentum(0.998, steps=3760) == 0.998
    assert averaging_momentum(0.998, steps=40) ** 40 < 0.01
    assert averaging_momentum(0.998, steps=1) == 0.0


def test_a_run_leaves_a_log_and_a_curve_and_keeps_the_best_epoch(vocabulary: Vocabulary, tmp_path: Path) -> None:
    """One dev image leaves CIDEr at zero in every epoch; ROUGE-L then tells which is best."""
    teacher = _teacher(vocabulary, "merge")
    dev, seen = {"1.jpg": CAPTIONS["1.jpg"]}, _seen(teacher)
    recipe = Recipe(epochs=3, patience=9, learning_rate=0.03, batch_size=2)
    run = TrainingRun(tmp_path / "own", manifest("captioner"), recipe, teacher.decoder, vocabulary)
    run.learn(CAPTIONS, seen, dev, seen[:1])

    folder = tmp_path / "own-training"
    assert len((folder / "log.csv").read_text().splitlines()) == 4
    with Image.open(folder / "curve.png") as curve:
        assert curve.width > curve.height
    with np.load(folder / "state.npz") as state:
        assert '"best_cider": 0.0' in str(state["progress"])


def test_a_tenth_of_the_images_is_held_back_the_same_each_time() -> None:
    captions = {f"{number}.jpg": ["a dog"] for number in range(40)}
    kept, held_back = hold_back(captions, seed=1)
    assert (len(kept), len(held_back)) == (36, 4)
    assert kept | held_back == captions
    assert hold_back(captions, seed=1)[1] == held_back != hold_back(captions, seed=2)[1]
    assert len(hold_back(CAPTIONS, seed=1)[1]) == 1
    with pytest.raises(CaptionsFileError, match="one image is not enough"):
        hold_back({"1.jpg": ["a dog"]}, seed=1)


def test_a_download_that_fails_gives_one_sentence(tmp_path: Path) -> None:
    def fail(*_: object, **__: object) -> str:
        raise Exception("URL fetch failure: no network")  # as Keras does

    with pytest.raises(DenseWeightsError, match="could not be downloaded: URL fetch failure"):
        download_dense_weights(fail)
    kept = str(tmp_path / "vgg16.h5")
    assert download_dense_weights(lambda *_, **__: kept) == tmp_path / "vgg16.h5"


def test_fc2_is_for_the_merge_architecture_only(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_options(["--images", ".", "--train", "c.csv", "--out", "o", "--vgg16-weights", "w.h5"])
    assert "add --architecture merge" in capsys.readouterr().err


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
