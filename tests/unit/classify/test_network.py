"""The network with random weights: shapes, scales, and what an artifact keeps of it."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from classify_service.model.artifact import CLASSIFIER_NAME, WEIGHTS_NAME, load, read_weights
from classify_service.model.backends import Computing
from classify_service.model.classifier import Classifier, Judgement, softmax
from classify_service.model.eye import build_eye, convolutions, load_convolutions, stored_convolutions
from classify_service.model.features import FEATURE_NAMES
from classify_service.model.head import build_head, fit_scales
from classify_service.model.head_sizes import HeadSizes
from classify_service.model.keras_network import KerasNetwork, empty_networks
from classify_service.model.narrowed_vgg16 import LEVELS, REGION_SIDE, REGION_SIZE
from classify_service.model.preprocessing import read_picture
from classify_service.model.saving import Networks, save
from shared.artifacts import ArtifactError, file_sha256
from tests.fakes import manifest
from tests.pictures import drawn_picture, encoded

LABELS = ("cat", "dog", "owl")
JUDGEMENT = Judgement(temperature=1.5, thresholds=(0.4, 0.6, 0.5))
SIZES = HeadSizes(outputs=len(LABELS), features=len(FEATURE_NAMES), anywhere=4, layout=4, measured=4, joint=4)
PICTURE = np.asarray(drawn_picture(200, 120), dtype=np.uint8)


@pytest.fixture(scope="module")
def networks() -> Networks:
    keras.utils.set_random_seed(0)
    eye, heads = empty_networks(input_side_px=144, heads=2, sizes=SIZES)
    return Networks(eye, heads, SIZES)


@pytest.fixture(scope="module")
def classifier(networks: Networks) -> Classifier:
    return Classifier(network=KerasNetwork(networks.eye, networks.heads), labels=LABELS, judgement=JUDGEMENT)


@pytest.fixture
def folder(networks: Networks, tmp_path: Path) -> Path:
    save(tmp_path, networks, labels=LABELS, judgement=JUDGEMENT, manifest=manifest("classifier"))
    return tmp_path


def test_the_eye_turns_a_picture_into_nine_regions(networks: Networks) -> None:
    seen = networks.eye.predict_on_batch(np.zeros((1, 144, 144, 3), dtype=np.float32))
    assert seen.shape == (1, REGION_SIDE, REGION_SIDE, REGION_SIZE)
    assert (seen >= 0).all()
    assert not networks.eye.trainable_variables


def test_the_eyes_input_must_fit_its_grid() -> None:
    with pytest.raises(ValueError, match="multiple of 144"):
        build_eye(input_side_px=224)


def test_the_eye_says_which_weights_are_missing(networks: Networks) -> None:
    with pytest.raises(ValueError, match="block1_conv1/kernel"):
        load_convolutions(networks.eye, {})


def test_the_head_brings_what_it_is_given_to_mean_0_and_deviation_1() -> None:
    rng = np.random.default_rng(0)
    head = build_head(SIZES)
    regions = rng.normal(5, 2, (40, REGION_SIDE, REGION_SIDE, REGION_SIZE)).astype(np.float32)
    features = rng.normal(-3, 7, (40, len(FEATURE_NAMES))).astype(np.float32)
    fit_scales(head, regions, features)
    scaled = np.asarray(keras.ops.convert_to_numpy(head.get_layer("feature_scale")(features)))
    assert scaled.mean() == pytest.approx(0, abs=0.01)
    assert scaled.std() == pytest.approx(1, abs=0.02)
    assert head.predict_on_batch([regions, features]).shape == (40, len(LABELS))


def test_a_feature_far_from_all_that_was_seen_is_limited() -> None:
    head = build_head(SIZES)
    scaled = head.get_layer("feature_scale")(np.full((1, len(FEATURE_NAMES)), 1e9, dtype=np.float32))
    assert keras.ops.convert_to_numpy(scaled).max() == 4


def test_scores_are_probabilities_best_first(classifier: Classifier) -> None:
    scores = classifier.scores(PICTURE)
    assert {score.label for score in scores} == set(LABELS)
    assert sum(score.confidence for score in scores) == pytest.approx(1)
    assert scores == sorted(scores, key=lambda score: -score.confidence)


def test_bytes_and_picture_give_the_same_scores(classifier: Classifier) -> None:
    image = encoded(drawn_picture(200, 120), "PNG")
    assert classifier.scores_of_file(image) == classifier.scores(read_picture(image))


def test_a_label_is_given_from_its_own_threshold_on(classifier: Classifier) -> None:
    assert classifier.is_sure_of("cat", 0.4)
    assert not classifier.is_sure_of("cat", 0.39)
    assert not classifier.is_sure_of("dog", 0.59)


def test_large_logits_do_not_overflow() -> None:
    assert softmax(np.array([1e4, 0.0])) == pytest.approx([1, 0])


def test_an_artifact_gives_back_the_same_scores(classifier: Classifier, folder: Path) -> None:
    loaded, read = load(folder)
    assert loaded.labels == LABELS
    assert loaded.judgement == JUDGEMENT
    assert set(read.files) == {CLASSIFIER_NAME, WEIGHTS_NAME}
    before = {score.label: score.confidence for score in classifier.scores(PICTURE)}
    after = {score.label: score.confidence for score in loaded.scores(PICTURE)}
    assert after == pytest.approx(before, abs=0.02)  # half precision


def test_kernels_of_the_eye_are_stored_in_bytes_matrices_in_half_precision_and_vectors_in_single(folder: Path) -> None:
    for name, array in read_weights(folder / WEIGHTS_NAME).items():
        matrix = np.int8 if name.startswith("block") else np.float16
        assert array.dtype == (matrix if array.ndim > 1 else np.float32), name


def test_stored_kernels_are_near_the_real_ones(networks: Networks) -> None:
    stored = stored_convolutions(networks.eye)
    for layer in convolutions(networks.eye):
        kernel = layer.get_weights()[0]
        error = stored[f"{layer.name}/kernel"] * stored[f"{layer.name}/scale"] - kernel
        assert np.abs(error).max() <= np.abs(kernel).max() / LEVELS


def test_a_scale_that_is_missing_is_named(networks: Networks) -> None:
    stored = stored_convolutions(networks.eye)
    del stored["block4_conv2/scale"]
    with pytest.raises(ValueError, match="lack block4_conv2/scale"):
        load_convolutions(networks.eye, stored)


def test_what_belongs_to_no_label_takes_its_share_of_the_probability(networks: Networks, tmp_path: Path) -> None:
    save(tmp_path, networks, labels=LABELS[:2], judgement=Judgement(1.0, (0.5, 0.5)), manifest=manifest("classifier"))
    loaded, _ = load(tmp_path)
    scores = loaded.scores(PICTURE)
    assert {score.label for score in scores} == set(LABELS[:2])
    assert 0 < sum(score.confidence for score in scores) < 1
    assert loaded.explain(PICTURE).scores[0].label == scores[0].label


def test_every_convolution_of_the_eye_is_stored_under_keras_name_of_it(networks: Networks, folder: Path) -> None:
    stored = read_weights(folder / WEIGHTS_NAME)
    for layer in convolutions(networks.eye):
        assert stored[f"{layer.name}/kernel"].shape == tuple(layer.kernel.shape)


def test_a_changed_file_is_refused(folder: Path) -> None:
    (folder / CLASSIFIER_NAME).write_text("{}", encoding="utf-8")
    with pytest.raises(ArtifactError, match="SHA-256 differs"):
        load(folder)


@pytest.mark.parametrize("name", [CLASSIFIER_NAME, WEIGHTS_NAME])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=f"{name} is missing"):
        load(folder)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"labels": ["cat", "dog"]}, "2 labels are named, but the weights have 3"),
        ({"labels": ["cat", "Dog!", "owl"]}, "cannot be read: labels.1"),
        ({"feature_names": ["aspect"]}, "other OpenCV features"),
        ({"heads": 3}, "the weights lack head_2"),
        ({"sizes": {"outputs": 3}}, "features"),
        ({"temperature": 0}, "temperature"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(folder: Path, change: dict[str, object], sentence: str) -> None:
    _rewrite(folder, CLASSIFIER_NAME, json.dumps({**_description(folder), **change}).encode())
    with pytest.raises(ArtifactError, match=sentence):
        load(folder)


def test_weights_of_another_shape_are_refused(folder: Path) -> None:
    sizes = {**_description(folder)["sizes"], "joint": 5}
    _rewrite(folder, CLASSIFIER_NAME, json.dumps({**_description(folder), "sizes": sizes}).encode())
    with pytest.raises(ArtifactError, match="has shape"):
        load(folder)


def test_weights_that_are_no_npz_are_refused(folder: Path) -> None:
    _rewrite(folder, WEIGHTS_NAME, b"\x80\x04cos\nsystem\n")
    with pytest.raises(ArtifactError, match="cannot be read as weights"):
        load(folder)


def _description(folder: Path) -> dict[str, object]:
    described: dict[str, object] = json.loads((folder / CLASSIFIER_NAME).read_text(encoding="utf-8"))
    return described


def _rewrite(folder: Path, name: str, content: bytes) -> None:
    """Change a file together with its hash."""
    (folder / name).write_bytes(content)
    written = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    written["files"][name] = file_sha256(folder / name)
    (folder / "manifest.json").write_text(json.dumps(written), encoding="utf-8")


def test_a_classifier_computes_in_the_precision_that_is_asked_for(folder: Path) -> None:
    exact, coarse = (
        load(folder, computing=Computing("tensorflow", dtype))[0].scores(PICTURE) for dtype in ("float32", "bfloat16")
    )
    told = [{score.label: score.confidence for score in scores} for scores in (exact, coarse)]
    assert told[0] != told[1]
    assert told[1] == pytest.approx(told[0], abs=0.05)
