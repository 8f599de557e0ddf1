"""How VGG16's convolutions are made cheaper, at toy size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classify_service.model.eye import build_eye, convolutions, load_convolutions
from classify_service.model.narrowed_vgg16 import BLOCKS
from classify_service.training.narrow import main
from classify_service.training.narrowing import narrow_convolution, narrow_eye
from tests.pictures import drawn_picture, encoded

CHANNELS, WIDTH, RANK = 3, 8, 2


def _kernel_of_rank(rank: int, rng: np.random.Generator) -> np.ndarray:
    flat = rng.normal(size=(9 * CHANNELS, rank)) @ rng.normal(size=(rank, WIDTH))
    return flat.reshape(3, 3, CHANNELS, WIDTH).astype(np.float32)


def test_a_kernel_of_low_rank_loses_nothing() -> None:
    rng = np.random.default_rng(0)
    kernel, bias = _kernel_of_rank(RANK, rng), rng.normal(size=WIDTH).astype(np.float32)
    seen = rng.normal(size=(400, 9 * CHANNELS)).astype(np.float32)
    narrowed = narrow_convolution(kernel, bias, wanted_from=seen, given=seen, rank=RANK)
    assert narrowed.narrow.shape == (3, 3, CHANNELS, RANK)
    assert narrowed.spread.shape == (1, 1, RANK, WIDTH)
    assert narrowed.error < 1e-6


def test_a_wider_one_loses_less() -> None:
    rng = np.random.default_rng(1)
    kernel, bias = _kernel_of_rank(WIDTH, rng), np.zeros(WIDTH, dtype=np.float32)
    seen = rng.normal(size=(400, 9 * CHANNELS)).astype(np.float32)
    errors = [narrow_convolution(kernel, bias, wanted_from=seen, given=seen, rank=rank).error for rank in (1, 4, WIDTH)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-6 < errors[0]


def test_it_makes_up_for_what_the_layers_before_got_wrong() -> None:
    rng = np.random.default_rng(2)
    kernel, bias = _kernel_of_rank(RANK, rng), np.zeros(WIDTH, dtype=np.float32)
    seen = rng.normal(size=(400, 9 * CHANNELS)).astype(np.float32)
    narrowed = narrow_convolution(kernel, bias, wanted_from=seen, given=seen * 0.5 + 1, rank=RANK)
    assert narrowed.error < 1e-3


@pytest.fixture(scope="module")
def full() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    arrays, channels = {}, 3
    for block, widths in enumerate(BLOCKS, start=1):
        for number, width in enumerate(widths, start=1):
            name = f"block{block}_conv{number}"
            deviation = (2 / (9 * channels)) ** 0.5
            arrays[f"{name}/kernel"] = rng.normal(0, deviation, (3, 3, channels, width)).astype(np.float16)
            arrays[f"{name}/bias"] = np.zeros(width, dtype=np.float16)
            channels = width
    return arrays


def test_a_narrowed_eye_loads(full: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classify_service.training.narrowing.PLACES", 60)
    file = tmp_path / "1.png"
    file.write_bytes(encoded(drawn_picture(60, 40), "PNG"))
    weights = narrow_eye(full, [file, file], side_px=32, seed=0)
    eye = build_eye(input_side_px=144)
    load_convolutions(eye, weights)
    for layer in convolutions(eye):
        assert np.array_equal(layer.get_weights()[0], weights[f"{layer.name}/kernel"])
    assert np.isfinite(eye.predict_on_batch(np.ones((1, 144, 144, 3), dtype=np.float32))).all()


def test_weights_that_lack_a_convolution_are_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(encoded(drawn_picture(60, 40), "PNG"))
    np.savez(tmp_path / "vgg16.npz", **{"block1_conv1/kernel": np.zeros((3, 3, 3, 64), np.float32)})
    options = ["--eye", str(tmp_path / "vgg16.npz"), "--images", str(tmp_path), "--out", str(tmp_path / "eye.npz")]
    with pytest.raises(SystemExit, match="lacks block1_conv1/bias"):
        main(options)
    assert not (tmp_path / "eye.npz").exists()


def test_a_folder_without_images_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="there are no images in"):
        main(["--eye", "x.npz", "--images", str(tmp_path), "--out", str(tmp_path / "eye.npz")])
