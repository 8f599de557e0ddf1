"""From a stranger's folders to answers over HTTP, with the real commands at toy size."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from classify_service.training import evaluate, train

ARGUMENTS = ["--views", "1", "--epochs", "8", "--batch", "8", "--folds", "2", "--heads", "1"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw stripes and blobs, ten of each."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for label in ("stripes", "blobs"):
        (folder / label).mkdir()
        for number in range(10):
            picture = np.full((96, 128, 3), 255, dtype=np.uint8)
            for at in range(7):
                if label == "stripes":
                    cv2.line(picture, (0, at * 14 + number), (127, at * 14 + number), (0, 0, 0), 2)
                else:
                    x, y = rng.integers(10, 86, 2).tolist()
                    cv2.circle(picture, (x, y), int(rng.integers(4, 14)), rng.integers(0, 255, 3).tolist(), -1)
            cv2.imwrite(str(folder / label / f"{number}.png"), picture)
    return folder


@pytest.fixture(scope="module")
def model(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("model") / "shapes"
    train.main(["--data", str(data), "--out", str(out), *ARGUMENTS])
    return out


def test_what_was_trained_knows_its_own_pictures(
    data: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "blobs" / "broken.png").write_bytes(b"\x89PNG\r\n")
    evaluate.main(["--data", str(data), "--model", str(model), "--json", str(tmp_path / "out.json")])
    (data / "blobs" / "broken.png").unlink()

    answer = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert answer["metrics"]["macro_f1"] > 0.9
    assert answer["metrics"]["per_class"]["stripes"]["support"] == 10
    assert set(answer["metrics"]["unreadable"]) == {"blobs/broken.png"}
    assert len(answer["predictions"]) == 20
    prediction = answer["predictions"]["stripes/0.png"]
    assert prediction["label"] == max(prediction["scores"], key=prediction["scores"].__getitem__)
    assert prediction["confidence"] == max(prediction["scores"].values())
    printed = capsys.readouterr().out
    assert "macro-F1" in printed
    assert "not read: blobs/broken.png" in printed


def test_the_manifest_tells_how_it_was_judged(model: Path) -> None:
    manifest = json.loads((model / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["kind"], manifest["name"], manifest["version"]) == ("classifier", "shapes", "1")
    assert "did not see" in manifest["metrics"]["validated_on"]
    assert set(manifest["files"]) == {"classifier.json", "weights.npz", "training.csv"}
    assert "CC BY 4.0" in manifest["data"]
    assert len((model / "training.csv").read_text(encoding="utf-8").splitlines()) == 1 + 3 * 8


def test_data_that_cannot_be_used_ends_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="classify-train: there is no folder"):
        train.main(["--data", str(tmp_path / "none"), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match="classify-evaluate: there is no folder"):
        evaluate.main(["--data", str(tmp_path / "none")])


@pytest.mark.parametrize("command", [train, evaluate])
def test_help_shows_an_example(command: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--help"])  # type: ignore[attr-defined]
    assert "example:" in capsys.readouterr().out
