"""Why a label: the words, the map and the weights, on networks and numbers whose answer is known."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from classify_service.model.classifier import Classifier, Judgement
from classify_service.model.explanation import MAX_REASONS, grad_cam, reasons
from classify_service.model.features import FEATURE_NAMES, FEATURES, measure
from classify_service.model.features.words import WORDS
from classify_service.model.head_sizes import HeadSizes
from classify_service.model.keras_network import KerasNetwork, empty_networks, join
from classify_service.model.preprocessing import network_input
from tests.pictures import drawn_picture

LABELS = ("cat", "dog", "owl")
SIZES = HeadSizes(outputs=len(LABELS), features=len(FEATURE_NAMES), anywhere=4, layout=4, measured=8, joint=8)
PICTURE = np.asarray(drawn_picture(200, 120), dtype=np.uint8)
TEMPERATURE = 1.5


def test_every_feature_has_words_for_low_and_high() -> None:
    assert set(WORDS) == set(FEATURES)
    for name, (low, high) in WORDS.items():
        assert low, name
        assert high, name
        assert low != high, name


def test_features_of_the_same_words_are_read_in_one_direction() -> None:
    assert WORDS["colourless_share"] == WORDS["saturation_mean"][::-1]
    assert WORDS["line_density_horizontal"][1] == "many straight horizontal lines"
    assert WORDS["text_stroke_width_deviation"][0] == "strokes of even width"
    assert WORDS["saturation_mean"][0] == "almost no colour"


def test_the_map_glows_where_channels_that_matter_are_active() -> None:
    maps = np.zeros((3, 3, 2), dtype=np.float32)
    maps[0, 1, 0], maps[2, 2, 0], maps[1, 1, 1] = 4, 2, 9
    slopes = np.ones((3, 3, 2), dtype=np.float32) * np.array([1, -1], dtype=np.float32)
    expected = np.zeros((3, 3))
    expected[0, 1], expected[2, 2] = 1, 0.5  # what speaks against it does not glow
    np.testing.assert_allclose(grad_cam(maps, slopes), expected)


def test_a_map_where_nothing_speaks_for_the_label_is_dark() -> None:
    assert not grad_cam(np.ones((2, 2, 1), np.float32), -np.ones((2, 2, 1), np.float32)).any()


def _told(**features: tuple[float, float]) -> list[tuple[str, str]]:
    """Return name and words of the reasons for features given by deviations and weight."""
    values, weights = np.zeros((2, len(FEATURE_NAMES)), dtype=np.float32)
    for name, (deviations, weight) in features.items():
        values[FEATURE_NAMES.index(name)] = 10 + 2 * deviations
        weights[FEATURE_NAMES.index(name)] = weight
    usual = np.full(len(FEATURE_NAMES), 10, np.float32)
    told = reasons(values, weights, usual=usual, factor=np.full(len(FEATURE_NAMES), 0.5, np.float32))
    return [(reason.feature, reason.words) for reason in told]


def test_reasons_are_told_by_weight_low_or_high() -> None:
    assert _told(edge_density=(-2, 0.3), aspect=(1, 0.8)) == [
        ("aspect", "a wide picture"),
        ("edge_density", "few edges"),
    ]


def test_what_is_usual_weighs_little_or_speaks_against_is_not_told() -> None:
    assert _told(edge_density=(0.2, 0.9), aspect=(3, 0.01), sharpness=(3, -2)) == []


def test_what_was_said_is_not_said_again() -> None:
    told = _told(colourless_share=(2, 0.9), saturation_mean=(-2, 0.8), aspect=(2, 0.1))
    assert told == [("colourless_share", "almost no colour"), ("aspect", "a wide picture")]


def test_only_the_strongest_are_told() -> None:
    many = {f"colour_hist_h_{at:02}": (2.0, 0.1 + at / 100) for at in range(12)}
    assert [name for name, _ in _told(**many)] == [f"colour_hist_h_{at:02}" for at in range(11, 11 - MAX_REASONS, -1)]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    """Return a toy whose features count much."""
    keras.utils.set_random_seed(0)
    eye, heads = empty_networks(input_side_px=144, heads=2, sizes=SIZES)
    for head in heads:
        linear = head.get_layer("linear")
        weights = np.random.default_rng(1).normal(0, 0.5, linear.get_weights()[0].shape)
        weights[: -len(FEATURE_NAMES)] = 0.001
        linear.set_weights([weights.astype(np.float32)])
    return Classifier(network=KerasNetwork(eye, heads), labels=LABELS, judgement=Judgement(TEMPERATURE, (0.5,) * 3))


def test_an_explanation_has_the_scores_of_a_plain_answer(classifier: Classifier) -> None:
    plain = {score.label: score.confidence for score in classifier.scores(PICTURE)}
    explained = {score.label: score.confidence for score in classifier.explain(PICTURE).scores}
    assert explained == pytest.approx(plain, abs=1e-4)


def test_the_map_covers_the_picture_from_0_to_1(classifier: Classifier) -> None:
    heat_map = classifier.explain(PICTURE).heat_map
    assert heat_map.shape == (9, 9)
    assert heat_map.min() >= 0
    assert heat_map.max() == pytest.approx(1)


def test_a_weight_is_what_the_label_loses_when_the_feature_is_as_usual(classifier: Classifier) -> None:
    explanation = classifier.explain(PICTURE)
    best = LABELS.index(explanation.scores[0].label)
    pixels = network_input(PICTURE, side_px=144)[None]

    def log_odds(features: np.ndarray) -> float:
        network = join(classifier.network.eye, classifier.network.heads)
        logits = np.asarray(network.predict_on_batch([pixels, features[None]]))[0] / TEMPERATURE
        return float(logits[best] - np.log(np.exp(np.delete(logits, best)).sum()))

    assert explanation.reasons
    features = measure(PICTURE)
    for reason in explanation.reasons:
        usual = features.copy()
        usual[FEATURE_NAMES.index(reason.feature)] = reason.usual
        assert reason.weight == pytest.approx(log_odds(features) - log_odds(usual), abs=1e-3)
