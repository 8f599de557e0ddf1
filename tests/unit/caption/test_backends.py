"""Which library computes the convolutions, and that all see the same."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from caption_service.app import captioner_loader
from caption_service.model import backends, processor
from caption_service.model.backends import BackendUnavailable, Computing, choose
from caption_service.model.captioner import Captioner
from caption_service.model.encoder import Encoder
from caption_service.model.preprocessing import read_image
from caption_service.settings import CaptionSettings, default_encoder, default_model
from shared.app import StartupError
from tests.pictures import drawn_picture

SAMPLES = Path(__file__).resolve().parents[3] / "web" / "samples"
WEIGHTS = default_encoder() / "encoder.npz"


@pytest.fixture
def openvino(installed_openvino: None) -> Computing:
    """OpenVINO in float32."""
    return Computing("openvino")


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    photos = [read_image(file) for file in sorted(SAMPLES.glob("*.jpg"))]
    return np.stack([*photos, np.asarray(drawn_picture(224, 224))])[-3:]


@pytest.fixture
def telemetry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of the name through which OpenVINO reports."""
    (tmp_path / "openvino_telemetry").mkdir()
    (tmp_path / "openvino_telemetry" / "__init__.py").write_text("raise AssertionError('it was imported')\n")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture(params=["ncnn", "openvino"])
def computing(request: pytest.FixtureRequest) -> Computing:
    """Each backend beside TensorFlow."""
    return request.getfixturevalue("openvino") if request.param == "openvino" else Computing("ncnn")


def test_all_backends_see_the_same(computing: Computing, pixels: np.ndarray) -> None:
    expected, eye = Encoder(WEIGHTS).encode(pixels), computing.eye(WEIGHTS)
    found = eye.encode(pixels)
    assert (found.dtype, found.shape) == (np.float32, (len(pixels), 196, 512))
    # Sums of up to 4,608 products, thirteen after each other; the largest features are in the hundreds.
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(eye.encode(pixels[:1]), found[:1], rtol=1e-4, atol=1e-3)


def test_in_bfloat16_the_pixels_keep_their_precision(openvino: Computing, pixels: np.ndarray) -> None:
    """Rounded, they alone would add 0.006; where the processor does not multiply it, OpenVINO computes in float32."""
    exact, fast = (Computing("openvino", dtype).eye(WEIGHTS).encode(pixels) for dtype in ("float32", "bfloat16"))
    assert np.linalg.norm(fast - exact) / np.linalg.norm(exact) < 0.006


def test_the_service_takes_the_fastest_by_itself_and_says_what_tensorflow_says(pixels: np.ndarray) -> None:
    fastest = captioner_loader(CaptionSettings(precision="float32"))()
    assert fastest.backend == "ncnn"
    by_tensorflow = Captioner.load(default_model(), encoder_folder=default_encoder())
    for ours, others in zip(fastest.describe(pixels), by_tensorflow.describe(pixels), strict=True):
        assert [caption.sentence for caption in ours] == [caption.sentence for caption in others]
        assert [each.confidence for each in ours] == pytest.approx([each.confidence for each in others], abs=1e-3)


def test_threads_may_share_an_eye(computing: Computing, pixels: np.ndarray) -> None:
    eye = computing.eye(WEIGHTS)
    alone = [eye.encode(picture[None]) for picture in pixels]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda picture: eye.encode(picture[None]), pixels))
    np.testing.assert_array_equal(together, alone)


def test_too_many_pictures_for_the_memory_are_told_as_that(openvino: Computing) -> None:
    """Under a limit, in a process of its own; one picture goes on to work, as `shared.batching` counts on."""
    script = f"""
import resource
import numpy as np
from pathlib import Path
from caption_service.model.openvino_encoder import OpenvinoEncoder
eye = OpenvinoEncoder(Path({str(WEIGHTS)!r}))
pictures = np.zeros((64, 224, 224, 3), np.uint8)
eye.encode(pictures[:1])
taken_bytes = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken_bytes + 400_000_000,) * 2)
try:
    eye.encode(pictures)
except MemoryError as error:
    print(error)
print(eye.encode(pictures[:1]).shape)
"""
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-2:] == ["64 pictures are too many for OpenVINO's memory", "(1, 196, 512)"]


@pytest.fixture
def native_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (backends, processor):
        monkeypatch.setattr(module, "has_native_bfloat16", lambda *_: True)


def test_ncnn_is_taken_in_float32_and_openvino_in_bfloat16(openvino: Computing, native_bfloat16: None) -> None:
    assert choose("auto", "float32") == choose("ncnn", "float32") == choose("ncnn") == Computing("ncnn")
    assert choose() == choose("openvino") == choose("auto", "bfloat16") == Computing("openvino", "bfloat16")
    assert choose("openvino", "float32") == openvino


def test_tensorflow_can_be_asked_for() -> None:
    assert choose("tensorflow", "float32") == Computing("tensorflow", "float32")


@pytest.mark.parametrize("is_wanted", [True, False])
def test_openvino_is_never_imported_where_it_would_report(
    telemetry: None, openvino: Computing, native_bfloat16: None, is_wanted: bool
) -> None:
    if is_wanted:
        with pytest.raises(BackendUnavailable, match="pip uninstall openvino-telemetry"):
            choose("openvino", "float32")
    else:
        assert choose() == Computing("ncnn")
        assert choose("auto", "bfloat16") == Computing("tensorflow", "bfloat16")


def test_without_openvino_auto_takes_another_and_asking_for_it_is_told(
    native_bfloat16: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert choose() == Computing("ncnn")
    assert choose("auto", "bfloat16") == Computing("tensorflow", "bfloat16")
    with pytest.raises(StartupError, match=r"CAPTION_BACKEND is openvino, but .* `make openvino` installs it"):
        captioner_loader(CaptionSettings(backend="openvino", precision="float32"))()


def test_without_ncnn_auto_takes_another_and_asking_for_it_is_told(
    openvino: Computing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ncnn", None)
    assert choose("auto", "float32") == openvino
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert choose("auto", "float32") == Computing("tensorflow")
    with pytest.raises(BackendUnavailable, match=r"CAPTION_BACKEND is ncnn, but .*`pip install ncnn` installs it"):
        choose("ncnn", "float32")


def test_where_there_is_a_gpu_tensorflow_computes_on_it(openvino: Computing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "has_gpu", lambda: True)
    assert choose() == Computing("tensorflow", "float16")
    for backend in ("openvino", "ncnn"):
        with pytest.raises(BackendUnavailable, match="finds a GPU"):
            choose(backend)


@pytest.mark.parametrize(
    ("precision", "told"), [("float16", "is for GPUs"), ("bfloat16", "does not multiply bfloat16")]
)
def test_openvino_is_not_asked_for_a_precision_that_it_would_not_heed(
    openvino: Computing, precision: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (backends, processor):
        monkeypatch.setattr(module, "has_native_bfloat16", lambda *_: False)
    assert choose("auto", precision) == Computing("tensorflow", precision)
    with pytest.raises(BackendUnavailable, match=told):
        choose("openvino", precision)


def test_without_tensorflow_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert choose("auto", "float32") == Computing("ncnn")
    with pytest.raises(BackendUnavailable, match=r"CAPTION_BACKEND is tensorflow, but .*`make setup` installs it"):
        choose("tensorflow")
    with pytest.raises(BackendUnavailable, match=r"nothing can compute here: .*float16.*TensorFlow is not installed"):
        choose("auto", "float16")


def test_a_model_of_another_architecture_says_that_it_needs_tensorflow() -> None:
    script = f"""
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None
from pathlib import Path
from caption_service.app import captioner_loader
from caption_service.settings import CaptionSettings
from shared.artifacts import ArtifactError
try:
    captioner_loader(CaptionSettings(model=Path({str(default_model().parent / "merge")!r}), precision="float32"))()
except ArtifactError as error:
    print(error)
"""
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert "merge needs TensorFlow" in ended.stdout
    assert "`make setup` installs it" in ended.stdout


def test_ncnn_is_not_asked_for_bfloat16() -> None:
    with pytest.raises(BackendUnavailable, match="CAPTION_BACKEND is ncnn, but it computes in float32"):
        choose("ncnn", "bfloat16")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"block3_conv2/bias": None}, "encoder.npz lacks block3_conv2/bias"),
        ({"block1_conv1/kernel": np.zeros((3, 3, 3, 8))}, "has the shape"),
    ],
)
def test_a_broken_file_is_refused(computing: Computing, change: dict, told: str, tmp_path: Path) -> None:
    with np.load(WEIGHTS) as stored:
        weights = dict(stored) | change
    np.savez(tmp_path / "encoder.npz", **{key: value for key, value in weights.items() if value is not None})
    with pytest.raises(ValueError, match=told):
        computing.eye(tmp_path / "encoder.npz")
