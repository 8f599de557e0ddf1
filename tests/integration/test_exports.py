"""An exported model, loaded by plain TensorFlow in a fresh process, says what the service says of two pictures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from caption_service.app import create_app as create_caption
from caption_service.exporting.export import main as caption_export
from caption_service.model.preprocessing import read_image
from caption_service.settings import CaptionSettings, default_model
from classify_service.app import create_app as create_classify
from classify_service.exporting.export import main as classify_export
from classify_service.model.features import measure
from classify_service.model.preprocessing import read_picture, resize
from classify_service.settings import SHIPPED_MODEL, ClassifySettings
from tests.live_platform import ROOT

PICTURES = [ROOT / "web" / "samples" / name for name in ("rocket.jpg", "coffee.jpg")]
ASKING = Path(__file__).with_name("asked_saved_model.py")
CLOSE = 5e-3


async def _answers(app: FastAPI, call: str) -> list[dict[str, Any]]:
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client,
    ):
        return [(await client.post(call, content=each.read_bytes())).json() for each in PICTURES]


def _export(command: Any, monkeypatch: pytest.MonkeyPatch, *arguments: Path) -> None:
    monkeypatch.setattr(sys, "argv", ["export", *map(str, arguments)])
    command()


def _asked(saved_model: Path, folder: Path, **inputs: np.ndarray) -> dict[str, list[list[Any]]]:
    """Load the SavedModel in a process without Legenda, and return what it says."""
    np.savez(folder / "inputs.npz", **inputs)
    subprocess.run(
        [sys.executable, ASKING, saved_model, folder / "inputs.npz", folder / "said.json"],
        cwd=folder,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        check=True,
        timeout=240,
    )
    return json.loads((folder / "said.json").read_text())


async def test_the_exported_captioner_says_what_the_service_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = await _answers(create_caption(CaptionSettings()), "/v1/captions")
    _export(caption_export, monkeypatch, default_model(), tmp_path / "out")
    said = _asked(
        tmp_path / "out" / "tensorflow-serving" / "attention" / "1",
        tmp_path,
        pixels=np.stack([read_image(each) for each in PICTURES]),
    )
    tokens = json.loads((default_model() / "vocabulary.json").read_text())
    for number, answer in enumerate(own):
        best = answer["captions"][0]
        assert said["captions"][number][0] == best["value"]
        assert said["confidences"][number][0] == pytest.approx(best["confidence"], abs=CLOSE)
        ids = [each for each in said["token_ids"][number][0] if each]
        assert " ".join(tokens[each] for each in ids) == best["value"]
        assert -60 < said["log_probabilities"][number][0] < 0
    config = (tmp_path / "out" / "triton" / "attention" / "config.pbtxt").read_text()
    assert all(f'output {{ name: "{name}"' in config for name in said)
    assert (tmp_path / "out" / "triton" / "attention" / "1" / "model.savedmodel" / "saved_model.pb").is_file()


async def test_the_exported_classifier_says_what_the_service_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = await _answers(create_classify(ClassifySettings()), "/v1/classifications")
    _export(classify_export, monkeypatch, SHIPPED_MODEL, tmp_path / "out")
    triton = tmp_path / "out" / "triton" / SHIPPED_MODEL.name
    config = (triton / "config.pbtxt").read_text()
    side_px = int(config.split('"pixels"')[1].split("dims: [ ")[1].split(",")[0])
    pictures = [read_picture(each) for each in PICTURES]
    said = _asked(
        triton / "1" / "model.savedmodel",
        tmp_path,
        pixels=np.stack([resize(each, width_px=side_px, height_px=side_px) for each in pictures]),
        features=np.stack([measure(each) for each in pictures]).astype(np.float32),
    )
    for number, answer in enumerate(own):
        expected = {each["value"]: each["confidence"] for each in answer["labels"]}
        found = dict(zip(said["labels"][number], said["confidences"][number], strict=True))
        assert said["label"][number] == [answer["label"]]
        assert found == pytest.approx(expected, abs=CLOSE)
        assert list(found.values()) == sorted(found.values(), reverse=True)


@pytest.mark.parametrize(("command", "model"), [(caption_export, default_model()), (classify_export, SHIPPED_MODEL)])
def test_what_cannot_be_exported_is_told_in_one_sentence(
    command: Any, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit, match=r"is not a model: it has no manifest\.json"):
        _export(command, monkeypatch, tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
