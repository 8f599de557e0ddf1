"""Which library computes the labels, and that all say the same, and why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from classify_service.classification import load_model
from classify_service.model import backends
from classify_service.model.artifact import load, read_weights
from classify_service.model.backends import BackendUnavailable, Computing, choose
from classify_service.model.classifier import Classifier, Judgement
from classify_service.model.features import FEATURE_NAMES
from classify_service.model.head_sizes import HeadSizes
from classify_service.model.keras_network import empty_networks
from classify_service.model.processor_network import ProcessorNetwork
from classify_service.model.saving import Networks, save
from classify_service.settings import SHIPPED_MODEL, ClassifySettings
from shared.app import StartupError
from tests.fakes import manifest
from tests.pictures import drawn_picture, photo_bytes

LABELS = ("cat", "dog", "owl")
SIZES = HeadSizes(outputs=4, features=len(FEATURE_NAMES), anywhere=5, layout=4, measured=6, joint=7)
SAMPLES = sorted((Path(__file__).resolve().parents[3] / "web" / "samples").glob("*.jpg"))
PICTURES = [np.asarray(drawn_picture(width, height), np.uint8) for width, height in ((200, 120), (90, 240), (64, 64))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of random weights all of which count, and that has learnt what belongs to no label."""
    keras.utils.set_random_seed(0)
    eye, heads = empty_networks(input_side_px=144, heads=2, sizes=SIZES)
    random = np.random.default_rng(1)
    for head in heads:
        for layer in head.layers:
            layer.set_weights([each + random.normal(0, 0.02, each.shape) for each in layer.get_weights()])
    path = tmp_path_factory.mktemp("classifier")
    judgement = Judgement(1.5, (0.5,) * len(LABELS))
    save(path, Networks(eye, heads, SIZES), labels=LABELS, judgement=judgement, manifest=manifest("classifier"))
    return path


@pytest.fixture(scope="module")
def openvino(installed_openvino: None) -> Computing:
    """OpenVINO in float32."""
    return Computing("openvino", "float32")


@pytest.fixture(scope="module", params=["ncnn", "openvino"])
def computing(request: pytest.FixtureRequest) -> Computing:
    """Each library beside TensorFlow."""
    return request.getfixturevalue("openvino") if request.param == "openvino" else Computing("ncnn", "float32")


@pytest.fixture(scope="module", params=["random", "shipped"])
def both(request: pytest.FixtureRequest, folder: Path, computing: Computing) -> tuple[Classifier, Classifier]:
    """The same classifier without TensorFlow, and by it."""
    path = folder if request.param == "random" else SHIPPED_MODEL
    return load(path, computing=computing)[0], load(path, computing=Computing("tensorflow", "float32"))[0]


def test_both_give_the_same_labels(both: tuple[Classifier, Classifier]) -> None:
    ours, others = both
    seen = [ours._see(picture) for picture in PICTURES] + [ours.look_at(file) for file in SAMPLES[:3]]
    for one, other in zip(ours.scores_of_all(seen), others.scores_of_all(seen), strict=True):
        expected = {score.label: score.confidence for score in other}
        assert {score.label: score.confidence for score in one} == pytest.approx(expected, abs=1e-4)


def test_both_say_why_in_the_same_words(both: tuple[Classifier, Classifier]) -> None:
    ours, others = both
    for picture in PICTURES:
        one, other = ours.explain(picture), others.explain(picture)
        assert one.scores[0].label == other.scores[0].label
        np.testing.assert_allclose(one.heat_map, other.heat_map, atol=1e-3)
        assert [reason.words for reason in one.reasons] == [reason.words for reason in other.reasons]
        expected = [reason.weight for reason in other.reasons]
        assert [reason.weight for reason in one.reasons] == pytest.approx(expected, abs=1e-3)


def test_serving_on_a_processor_does_without_tensorflow() -> None:
    script = f"""
import sys
from classify_service.classification import load_model
from classify_service.settings import SHIPPED_MODEL
classifier = load_model(SHIPPED_MODEL, backend="ncnn").classifier
seen = classifier.look_at({photo_bytes()!r})
print(classifier.scores_of_all([seen])[0][0].label == classifier.explain_seen(seen).scores[0].label)
print(sorted({{"tensorflow", "keras"}} & set(sys.modules)))
"""
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["True", "[]"]


def test_in_bfloat16_the_labels_are_the_same(openvino: Computing) -> None:
    """Where the processor does not multiply it, OpenVINO computes in float32 whatever it is told."""
    exact = load(SHIPPED_MODEL, computing=openvino)[0]
    fast = load(SHIPPED_MODEL, computing=Computing("openvino", "bfloat16"))[0]
    seen = [exact.look_at(file) for file in SAMPLES]
    for one, other in zip(exact.scores_of_all(seen), fast.scores_of_all(seen), strict=True):
        assert one[0].label == other[0].label
        assert one[0].confidence == pytest.approx(other[0].confidence, abs=0.03)


@pytest.fixture
def native_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "has_native_bfloat16", lambda: True)


@pytest.fixture
def no_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "has_native_bfloat16", lambda: False)


def test_openvino_is_taken_where_the_processor_multiplies_bfloat16(openvino: Computing, native_bfloat16: None) -> None:
    assert choose() == choose("auto", "bfloat16") == choose("openvino") == Computing("openvino", "bfloat16")
    assert choose("auto", "float32") == choose("ncnn") == Computing("ncnn", "float32")
    assert choose("openvino", "float32") == openvino


def test_without_openvino_ncnn_computes_in_float32_there(
    native_bfloat16: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert choose() == Computing("ncnn", "float32")
    assert choose("auto", "bfloat16") == Computing("tensorflow", "bfloat16")
    with pytest.raises(BackendUnavailable, match=r"CLASSIFY_BACKEND is openvino, but .*`make openvino` installs it"):
        choose("openvino")


def test_openvino_is_not_asked_for_a_precision_that_it_would_not_heed(openvino: Computing, no_bfloat16: None) -> None:
    assert choose("openvino") == openvino
    with pytest.raises(BackendUnavailable, match="which openvino does not compute in here; set it to auto or float32"):
        choose("openvino", "bfloat16")


def test_ncnn_is_taken_on_a_processor_and_tensorflow_on_a_gpu(
    no_bfloat16: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "has_gpu", lambda: False)
    assert choose() == choose("auto", "float32") == choose("ncnn") == Computing("ncnn", "float32")
    assert choose("tensorflow") == Computing("tensorflow", None)
    assert choose("auto", "bfloat16") == Computing("tensorflow", "bfloat16")
    monkeypatch.setattr(backends, "has_gpu", lambda: True)
    assert choose() == Computing("tensorflow", None)
    assert choose("ncnn") == Computing("ncnn", "float32")  # who asks for it knows


@pytest.mark.parametrize("shown", [True, False])
def test_tensorflow_is_asked_for_a_gpu_where_the_system_shows_one(shown: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpu = SimpleNamespace(config=SimpleNamespace(list_physical_devices=lambda kind: [kind]))
    monkeypatch.setitem(sys.modules, "tensorflow", with_gpu)
    monkeypatch.setattr(backends, "shows_gpu", lambda: shown)
    assert backends.has_gpu() is shown


def test_a_precision_that_ncnn_has_not_is_refused_at_the_start() -> None:
    settings = ClassifySettings(backend="ncnn", precision="bfloat16")
    with pytest.raises(StartupError, match=r"CLASSIFY_BACKEND is ncnn, but CLASSIFY_PRECISION is bfloat16"):
        load_model(settings.model, backend=settings.backend, precision=settings.precision)


def test_without_ncnn_auto_takes_tensorflow_and_asking_for_it_is_told(
    no_bfloat16: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ncnn", None)
    assert choose().backend == "tensorflow"
    with pytest.raises(BackendUnavailable, match=r"CLASSIFY_BACKEND is ncnn, but .*`pip install ncnn` installs it"):
        choose("ncnn")


def test_without_tensorflow_it_is_said_what_to_do(no_bfloat16: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert choose().backend == "ncnn"
    with pytest.raises(BackendUnavailable, match=r"CLASSIFY_BACKEND is tensorflow, but .*`make setup` installs it"):
        choose("tensorflow")
    with pytest.raises(BackendUnavailable, match=r"nothing can compute here: .*float16.*TensorFlow is not installed"):
        choose("auto", "float16")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"block2_conv1/bias": None}, "the weights lack block2_conv1/bias"),
        ({"block1_conv1/kernel": np.zeros((3, 3, 3, 8), np.float32)}, "block1_conv1 has the shape"),
        ({"head_1/joint/kernel": None}, "the weights lack head_1/joint/kernel"),
        ({"head_0/linear/kernel": np.zeros((5, 4), np.float32)}, "head_0/linear/kernel has shape"),
    ],
)
def test_weights_that_do_not_fit_are_refused(folder: Path, computing: Computing, change: dict, told: str) -> None:
    weights = read_weights(folder / "weights.npz") | change
    kept = {name: values for name, values in weights.items() if values is not None}
    with pytest.raises(ValueError, match=told):
        ProcessorNetwork(kept, input_side_px=144, heads=2, sizes=SIZES, computing=computing)
