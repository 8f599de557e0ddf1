"""A model that is not as it was written: one sentence each, from the service at its start and from the tools."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from classify_service.app import create_app
from classify_service.model.artifact import CLASSIFIER_NAME, WEIGHTS_NAME, read_weights
from classify_service.model.classifier import Judgement
from classify_service.model.features import FEATURE_NAMES
from classify_service.model.head_sizes import HeadSizes
from classify_service.model.keras_network import empty_networks
from classify_service.model.saving import Networks, save
from classify_service.settings import ClassifySettings
from classify_service.training import evaluate
from shared.app import StartupError
from shared.artifacts import MANIFEST_NAME, file_sha256
from tests.fakes import manifest
from tests.pictures import photo_bytes

LABELS = ("cat", "dog", "owl")
SIZES = HeadSizes(outputs=3, features=len(FEATURE_NAMES), anywhere=4, layout=4, measured=4, joint=4)


@pytest.fixture(scope="module")
def networks() -> Networks:
    keras.utils.set_random_seed(0)
    eye, heads = empty_networks(input_side_px=144, heads=1, sizes=SIZES)
    return Networks(eye, heads, SIZES)


@pytest.fixture
def model(networks: Networks, tmp_path: Path) -> Path:
    judgement = Judgement(temperature=1.0, thresholds=(0.5, 0.5, 0.5))
    save(tmp_path / "model", networks, labels=LABELS, judgement=judgement, manifest=manifest("classifier"))
    return tmp_path / "model"


def _change_a_byte(model: Path) -> None:
    weights = bytearray((model / WEIGHTS_NAME).read_bytes())
    weights[len(weights) // 2] ^= 1
    (model / WEIGHTS_NAME).write_bytes(weights)


def _lose_a_file(model: Path) -> None:
    (model / CLASSIFIER_NAME).unlink()


def _make_newer(model: Path) -> None:
    _edit(model / MANIFEST_NAME, format=2)


def _forget_a_hash(model: Path) -> None:
    _edit(model / MANIFEST_NAME, files={})


def _name_two_labels(model: Path) -> None:
    _edit(model / CLASSIFIER_NAME, labels=["cat", "dog"], thresholds={"cat": 0.5, "dog": 0.5})
    _sign(model, CLASSIFIER_NAME)


def _swap_in_weights_of_four_labels(model: Path) -> None:
    arrays = read_weights(model / WEIGHTS_NAME)
    arrays["head_0/logits/bias"] = np.zeros(4, dtype=np.float32)
    np.savez(model / WEIGHTS_NAME, **arrays)
    _sign(model, WEIGHTS_NAME)


def _sign(model: Path, name: str) -> None:
    """Make the manifest agree with a changed file."""
    files = json.loads((model / MANIFEST_NAME).read_text(encoding="utf-8"))["files"]
    _edit(model / MANIFEST_NAME, files={**files, name: file_sha256(model / name)})


def _edit(file: Path, **change: object) -> None:
    written = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**written, **change}), encoding="utf-8")


BREAKS = pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (_change_a_byte, f"{WEIGHTS_NAME} is not the file that {MANIFEST_NAME} names: its SHA-256 differs"),
        (_lose_a_file, f"is not complete: {CLASSIFIER_NAME} is missing"),
        (_make_newer, "has format 2, this version reads up to 1: update Legenda"),
        (_forget_a_hash, f"is not complete: {MANIFEST_NAME} does not name {CLASSIFIER_NAME}"),
        (_name_two_labels, "2 labels are named, but the weights have 3"),
        (_swap_in_weights_of_four_labels, "3 labels are named, but the weights have 4"),
    ],
)


@BREAKS
async def test_the_service_does_not_start_with_it(model: Path, damage: Callable[[Path], None], sentence: str) -> None:
    damage(model)
    app = create_app(ClassifySettings(model=model))
    with pytest.raises(StartupError) as refusal:
        async with app.router.lifespan_context(app):
            pass
    _check(str(refusal.value), model, sentence)


@BREAKS
def test_the_tools_refuse_it(model: Path, damage: Callable[[Path], None], sentence: str) -> None:
    damage(model)
    data = model.with_name("data")
    (data / "cat").mkdir(parents=True)
    (data / "cat" / "a.jpg").write_bytes(photo_bytes())
    with pytest.raises(SystemExit) as refusal:
        evaluate.main(["--data", str(data), "--model", str(model)])
    _check(str(refusal.value.code), model, sentence)


def _check(said: str, model: Path, sentence: str) -> None:
    assert sentence in said
    assert str(model) in said
    assert "\n" not in said
