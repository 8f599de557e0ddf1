"""The parts of a training on views: what it is told, what it starts from, what a step is worth."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from caption_service.model.decoder import build_decoder
from caption_service.model.decoder_sizes import DecoderSizes
from caption_service.model.vocabulary import END_ID, PADDING_ID, SPECIAL_TOKENS, START_ID, Vocabulary
from caption_service.training.averaging import RunningAverage
from caption_service.training.losses import guess_loss, seen_as_whole
from caption_service.training.reward import read_reward_options
from caption_service.training.schedule import warmed_cosine
from caption_service.training.self_critical import above_the_others, before
from caption_service.training.starting import grown_decoder, grown_vocabulary
from caption_service.training.tune import read_tuning_options
from caption_service.training.view_sets import TrainingSet
from caption_service.training.views import ALL_VIEWS, ONLY_WHOLE, UNMIRRORED, Views

DATA = ["--data-set", "photos", "p.csv", "2", "--dev-set", "photos", "photos", "d.csv"]
BEGUN = ["--start-from", "old", "--out", "new"]
TUNING = [*DATA, *BEGUN, "--encoder-out", "new-encoder"]


def test_sets_keep_their_order_repeats_and_views() -> None:
    options = read_tuning_options([*TUNING, "--unmirrored", "signs", "s.csv", "3", "--data-set", "more", "m.csv", "1"])
    told = [(str(each.images), str(each.file), each.repeats, each.shares) for each in options.training]
    assert told == [
        ("photos", "p.csv", 2, ALL_VIEWS),
        ("signs", "s.csv", 3, UNMIRRORED),
        ("more", "m.csv", 1, ALL_VIEWS),
    ]
    assert [(each.name, str(each.file)) for each in options.dev] == [("photos", "d.csv")]
    assert options.recipe.epochs == 5
    assert options.recipe.block_5_learning_rate == pytest.approx(1e-4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*TUNING[4:]], "there is nothing to learn from: give --data-set or --unmirrored at least once"),
        ([*TUNING[:4], *TUNING[8:]], "there is nothing to choose the best epoch by: give --dev-set"),
        ([*TUNING, "--data-set", "a", "b.csv", "0"], "REPEAT is '0', but must be a whole number above 0"),
        ([*TUNING, "--dev-set", "My set", "a", "b.csv"], "NAME is 'My set', but must be of a-z, 0-9 and _"),
        ([*TUNING, "--dev-set", "photos", "a", "b.csv"], "NAME is 'photos' twice"),
        ([*TUNING, "--out", "old"], "--out is the folder of --start-from, which would be lost"),
        ([*TUNING, "--encoder-out", "new"], "--encoder-out is the folder of --encoder or --out"),
        ([*DATA, *BEGUN], "the tuned encoder needs a place: give --encoder-out, or --block-5-learning-rate 0"),
        ([*TUNING, "--block-5-learning-rate", "0"], "the encoder stays as it is: leave --encoder-out away"),
        (
            [*TUNING, "--epochs", "3", "--block-5-from-epoch", "4"],
            "from epoch 4 on, but there are 3: give a lower --block-5-from-epoch",
        ),
        ([*TUNING, "--epochs", "0"], "--epochs is 0, but must be at least 1"),
        ([*TUNING, "--feature-dropout", "2"], "--feature-dropout is 2.0, but must be from 0 to 0.9"),
    ],
)
def test_options_that_cannot_be_followed_say_why(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        read_tuning_options(arguments)
    assert words in capsys.readouterr().err


def test_a_reward_needs_samples_to_compare(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_reward_options([*DATA, *BEGUN, "--samples-per-image", "1"])
    assert "--samples-per-image is 1, but must be at least 2" in capsys.readouterr().err


def test_a_word_is_new_when_an_epoch_says_it_often_enough() -> None:
    views = Views({}, ONLY_WHOLE)
    rare = TrainingSet({"1": ["a cat", "a bird"]}, views, repeats=1)
    shown_thrice = TrainingSet({"2": ["a bird and a dog"]}, views, repeats=3)
    known = Vocabulary((*SPECIAL_TOKENS, "zebra", "and"))
    grown = grown_vocabulary(known, [rare, shown_thrice], min_count=3)
    assert grown.tokens == (*known.tokens, "a", "bird", "dog")


def test_a_decoder_with_more_words_says_of_the_known_ones_what_it_said() -> None:
    keras.utils.set_random_seed(1)
    sizes = DecoderSizes(vocabulary_size=7, grid_side=7, feature_rms=1.0, embedding_size=6, lstm_size=8)
    decoder = build_decoder(sizes)
    decoder.word_bias.assign(np.arange(7, dtype=np.float32))
    grown = grown_decoder(decoder, words=9, seed=1)
    inputs = (np.ones((1, 49, 512), np.float32), np.array([[START_ID, 4, 5]]))
    (before_growth, _), (logits, _) = decoder(inputs), grown(inputs)
    assert logits.shape == (1, 3, 9)
    np.testing.assert_allclose(logits[:, :, :7], before_growth, atol=1e-5)
    np.testing.assert_array_equal(np.asarray(grown.word_bias)[7:], [0.0, 0.0])
    vectors = np.asarray(grown.embedding.embeddings)
    assert np.abs(vectors[7:] - vectors[:7].mean(axis=0)).max() < 0.25
    assert not np.array_equal(vectors[7], vectors[8])


def test_the_average_starts_at_the_model_and_looks_back_further_with_time() -> None:
    variable = keras.Variable(np.float32([1.0]))
    average = RunningAverage([variable], momentum=0.998)
    variable.assign([2.0])
    average.follow()
    assert average.values()[0] == pytest.approx(0.1 * 1 + 0.9 * 2)
    for _ in range(100):
        average.follow()
    assert average.values()[0] == pytest.approx(2.0, abs=1e-3)
    variable.assign([3.0])
    average.follow()
    assert average.values()[0] == pytest.approx(2 + 9 / 111, abs=1e-3)


def test_the_learning_rate_warms_up_and_falls_to_its_floor() -> None:
    rate = warmed_cosine(1.0, steps=1000, warmup_steps=100, floor=0.1)
    assert [float(rate(step)) for step in (0, 50, 100, 550, 1000)] == pytest.approx([0, 0.5, 1, 0.55, 0.1], abs=0.01)
    assert float(warmed_cosine(1.0, steps=8, warmup_steps=100, floor=0.1)(2)) == pytest.approx(1.0)


def test_a_sample_is_measured_by_its_pictures_other_samples() -> None:
    above = above_the_others(np.array([[1.0, 2.0, 6.0], [3.0, 3.0, 3.0]], np.float32))
    np.testing.assert_allclose(above, [[-3.0, -1.5, 4.5], [0, 0, 0]])


def test_a_sample_is_read_as_it_was_said() -> None:
    said = np.array([[7, 8, END_ID, PADDING_ID], [7, 8, 9, 5]], np.int32)
    assert before(said).tolist() == [[START_ID, 7, 8, PADDING_ID], [START_ID, 7, 8, 9]]


def test_a_right_guess_of_the_words_costs_less_than_a_wrong_one() -> None:
    next_said = np.array([[4, 5, END_ID], [4, END_ID, PADDING_ID]])  # two captions of one picture
    said = {END_ID: 1.0, PADDING_ID: 0.5, 4: 1.0, 5: 0.5}
    right = np.array([[np.log((share + 1e-3) / (1 + 1e-3 - share)) for share in (said.get(w, 0.0) for w in range(7))]])
    least = 2 * np.log(2)  # what two words said by half of the people cost at best
    assert float(guess_loss(right.astype(np.float32), next_said)) == pytest.approx(least, abs=0.05)
    assert float(guess_loss(np.zeros((1, 7), np.float32), next_said)) == pytest.approx(7 * np.log(2), rel=1e-5)


def test_a_picture_as_a_whole_is_its_mean_and_its_maximum() -> None:
    seen = np.array([[[1.0, 0.0], [3.0, 2.0]]], np.float32)
    np.testing.assert_allclose(seen_as_whole(seen, rms=2.0), [[3.0, 1.5, 1.5, 1.0]])
