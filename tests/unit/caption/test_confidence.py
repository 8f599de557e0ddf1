"""Confidences that mean something: the fit, the error, and what the command writes into a model."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from caption_service.model.artifact import load_calibration
from caption_service.model.beam import Sentence
from caption_service.model.confidence import Calibration, confidence_of
from caption_service.training.calibrate import calibrate
from caption_service.training.captions import CaptionsFileError
from caption_service.training.reliability import calibration_error, cross_fitted, draw_reliability, fit
from caption_service.training.scores import cider_d_of_each, score_captions
from shared.artifacts import ArtifactError, read_manifest, write_manifest
from tests.fakes import manifest

TRUE = Calibration(intercept=3.0, slope=2.0, cider_d=0.4)


@pytest.fixture(scope="module")
def captions() -> tuple[np.ndarray, np.ndarray]:
    """4,000 captions of which people agree with as many as TRUE says."""
    random = np.random.default_rng(0)
    log_probabilities = random.normal(-1.5, 0.6, 4000)
    chances = np.array([TRUE.confidence(each) for each in log_probabilities])
    return log_probabilities, (random.random(4000) < chances).astype(np.float64)


def test_the_fit_finds_the_curve_that_made_the_captions(captions: tuple[np.ndarray, np.ndarray]) -> None:
    found = fit(*captions, cider_d=0.4)
    assert found.intercept == pytest.approx(TRUE.intercept, abs=0.3)
    assert found.slope == pytest.approx(TRUE.slope, abs=0.2)
    assert found.cider_d == 0.4


def test_calibrated_confidences_err_less_than_plain_probabilities(captions: tuple[np.ndarray, np.ndarray]) -> None:
    log_probabilities, is_good = captions
    fitted = cross_fitted(log_probabilities, is_good, cider_d=0.4)
    assert calibration_error(fitted, is_good) < 0.04 < calibration_error(np.exp(log_probabilities), is_good)


def test_the_calibration_error_is_the_mean_gap_between_promise_and_truth() -> None:
    confidences = np.array([0.25, 0.25, 0.25, 0.25, 0.95, 0.95])
    assert calibration_error(confidences, np.array([1.0, 0, 0, 0, 1, 1])) == pytest.approx(2 * 0.05 / 6)
    assert calibration_error(np.ones(4), np.zeros(4)) == 1.0


def test_captions_on_one_side_of_the_threshold_are_fitted_without_breaking() -> None:
    assert 0.9 < fit(np.array([-1.0, -2.0, -3.0]), np.ones(3), cider_d=0.1).confidence(-2.0) < 1.0


def test_a_model_without_a_curve_tells_the_geometric_mean() -> None:
    sentence = Sentence((4,), 2 * math.log(0.5))
    assert confidence_of(sentence, None) == pytest.approx(0.5)
    assert confidence_of(sentence, TRUE) == pytest.approx(TRUE.confidence(math.log(0.5)))


def test_each_image_is_scored_as_the_whole_is() -> None:
    people = {"a": ["a dog runs on sand", "the dog runs"], "b": ["two boys play ball", "boys with a ball"]}
    said = {"a": "a dog runs", "b": "a cat sleeps"}
    each = cider_d_of_each(said, people)
    assert each["a"] > each["b"] == 0.0
    assert np.mean(list(each.values())) == pytest.approx(score_captions(said, people, quick=True)["cider"])


def test_the_curve_and_how_well_it_holds_are_kept_in_the_manifest(
    captions: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    log_probabilities, is_good = captions
    model, picture = tmp_path / "model", tmp_path / "reliability.png"
    model.mkdir()
    write_manifest(model, manifest("captioner").model_copy(update={"sizes": {"beams": 5}, "metrics": {"dev": 1}}))

    calibrate(model, log_probabilities, is_good > 0, cider_d=0.4, data={"photos/dev.csv": 4000}, picture=picture)

    told = read_manifest(model, kind="captioner")
    curve = load_calibration(model, told)
    assert curve is not None
    assert curve.confidence(-1.5) == pytest.approx(TRUE.confidence(-1.5), abs=0.03)
    assert (told.sizes["beams"], told.metrics["dev"]) == (5, 1)
    assert told.metrics["confidence"]["captions"] == 4000
    assert told.metrics["confidence"]["calibration_error"] < 0.04
    assert told.metrics["confidence"]["data"] == {"photos/dev.csv": 4000}
    assert picture.is_file()


@pytest.mark.parametrize("are_good", [np.ones(60, bool), np.zeros(60, bool), np.arange(40) % 2 == 0])
def test_captions_that_tell_nothing_of_confidence_are_refused(are_good: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(CaptionsFileError, match="a curve needs 50 captions with some on each side"):
        calibrate(tmp_path, np.zeros(len(are_good)), are_good, cider_d=0.4, data={}, picture=tmp_path / "r.png")


def test_a_calibration_of_another_form_is_refused(tmp_path: Path) -> None:
    odd = manifest("captioner").model_copy(update={"sizes": {"calibration": {"temperature": 2.0}}})
    with pytest.raises(ArtifactError, match="cannot be read"):
        load_calibration(tmp_path, odd)


def test_the_reliability_is_drawn(captions: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    log_probabilities, is_good = captions
    draw_reliability(np.exp(log_probabilities), is_good, tmp_path / "reliability.png", cider_d=0.4)
    assert (tmp_path / "reliability.png").read_bytes().startswith(b"\x89PNG")
