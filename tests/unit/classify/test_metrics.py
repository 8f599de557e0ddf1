"""Figures against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from classify_service.training.calibration import LOWEST_THRESHOLD, fit_judgement, fit_temperature, fit_threshold
from classify_service.training.metrics import (
    confusion,
    expected_calibration_error,
    macro_f1,
    per_class,
    reliability,
    summary,
    table,
)

LABELS = ("cat", "dog", "owl")
TRUTH = np.array([0, 0, 0, 1, 1, 2])
GUESS = np.array([0, 0, 1, 1, 0, 2])


def test_precision_recall_and_f1_are_those_of_the_table() -> None:
    figures = per_class(TRUTH, GUESS, LABELS)
    assert (figures["cat"].precision, figures["cat"].recall, figures["cat"].f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert (figures["dog"].precision, figures["dog"].recall, figures["dog"].f1) == pytest.approx((0.5, 0.5, 0.5))
    assert (figures["owl"].f1, figures["owl"].support) == (1, 1)
    assert macro_f1(figures) == pytest.approx((2 / 3 + 0.5 + 1) / 3)


def test_a_label_that_is_not_in_the_data_does_not_count_in_the_mean() -> None:
    figures = per_class(np.array([0, 0]), np.array([0, 2]), LABELS)
    assert figures["owl"].support == 0
    assert macro_f1(figures) == pytest.approx(2 / 3)


def test_calibration_error_is_the_weighted_gap_of_the_bins() -> None:
    confidence = np.array([0.95, 0.95, 0.55, 0.55])
    right = np.array([True, True, True, False])
    assert expected_calibration_error(confidence, right) == pytest.approx(0.5 * 0.05 + 0.5 * 0.05)


def test_reliability_has_the_means_of_each_bin_with_images() -> None:
    bins = reliability(np.array([0.96, 0.98, 0.55, 1.0]), np.array([True, True, False, False]))
    assert [(each["from"], each["images"]) for each in bins] == [(pytest.approx(8 / 15, abs=1e-6), 1), (0.933333, 3)]
    assert bins[0]["accuracy"] == 0
    assert (bins[1]["confidence"], bins[1]["accuracy"]) == (0.98, pytest.approx(2 / 3, abs=1e-6))


def test_confusion_has_true_labels_in_rows_and_best_ones_in_columns() -> None:
    assert confusion(TRUTH, GUESS, count=3) == [[2, 1, 0], [1, 1, 0], [0, 0, 1]]


def test_sure_and_always_right_is_perfectly_calibrated() -> None:
    assert expected_calibration_error(np.ones(3), np.ones(3, dtype=bool)) == 0


def test_the_summary_holds_every_figure_and_prints_as_a_table() -> None:
    probabilities = np.eye(3)[GUESS] * 0.7 + 0.1
    figures = summary(TRUTH, probabilities, LABELS)
    assert figures["accuracy"] == pytest.approx(4 / 6, abs=1e-6)
    assert figures["ece"] == pytest.approx(0.8 - 4 / 6, abs=1e-6)
    assert figures["per_class"]["dog"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    lines = table(figures).splitlines()
    assert len(lines) == 5
    assert "0.500   0.500  0.500       2" in lines[2]


def test_overconfident_logits_are_cooled_to_the_share_of_right_answers() -> None:
    truth = np.array([0] * 75 + [1] * 25)
    logits = np.tile([10.0, 0.0], (100, 1))
    temperature = fit_temperature(logits, truth)
    assert 1 / (1 + np.exp(-10 / temperature)) == pytest.approx(0.84, abs=0.01)  # the hottest allowed is 6
    milder = fit_temperature(logits / 4, truth)
    assert 1 / (1 + np.exp(-2.5 / milder)) == pytest.approx(0.75, abs=0.01)


def test_the_threshold_is_the_lowest_that_reaches_the_precision() -> None:
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    right = np.array([True, True, False, True, False])
    assert fit_threshold(confidence, right, precision=0.75) == pytest.approx(0.6)
    assert fit_threshold(confidence, right, precision=0.9) == pytest.approx(0.8)


def test_without_mistakes_nothing_is_withheld() -> None:
    assert fit_threshold(np.array([0.4, 0.9]), np.array([True, True]), precision=0.9) == 0


def test_where_no_threshold_reaches_the_precision_the_best_is_taken() -> None:
    confidence = np.array([0.9, 0.8, 0.7])
    assert fit_threshold(confidence, np.array([False, True, False]), precision=0.9) == pytest.approx(0.8)


def test_each_label_has_a_threshold_of_its_own() -> None:
    logits = np.array([[3.0, 0.0]] * 9 + [[1.0, 0.0]] + [[0.0, 3.0]] * 5 + [[0.0, 1.0]] * 5)
    truth = np.array([0] * 10 + [1] * 5 + [0] * 5)
    judgement = fit_judgement(logits, truth, labels=2, precision=0.9)
    assert judgement.temperature > 0
    assert judgement.thresholds[0] == LOWEST_THRESHOLD  # never wrong
    weak, strong = (1 / (1 + np.exp(-logit / judgement.temperature)) for logit in (1.0, 3.0))
    assert weak < judgement.thresholds[1] <= strong  # right only where it is sure


def test_a_label_that_was_never_the_best_gets_the_threshold_of_all() -> None:
    logits = np.array([[3.0, 0.0, -9.0], [0.0, 3.0, -9.0]])
    judgement = fit_judgement(logits, np.array([0, 1]), labels=3, precision=0.9)
    assert judgement.thresholds == (LOWEST_THRESHOLD,) * 3


def test_pictures_of_no_label_raise_the_threshold_of_the_label_they_pass_for() -> None:
    logits = np.array([[4.0, 0.0, 0.0]] * 12 + [[2.0, 0.0, 0.0]] * 6 + [[0.0, 4.0, 0.0]] * 6)
    without = fit_judgement(logits, np.array([0] * 18 + [1] * 6), labels=2, precision=0.9)
    with_others = fit_judgement(logits, np.array([0] * 12 + [2] * 6 + [1] * 6), labels=2, precision=0.9)
    assert with_others.thresholds[0] > without.thresholds[0] == LOWEST_THRESHOLD
    assert with_others.thresholds[1] == LOWEST_THRESHOLD
