"""From a stranger's folders to answers over HTTP, with the real commands at toy size."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classify_service.training import evaluate, train
from tests.integration.classify.drawn_labels import write_pictures

ARGUMENTS = ["--views", "1", "--epochs", "4", "--batch", "8", "--folds", "2", "--heads", "1", "--min-images", "10"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw stripes and blobs, ten of each."""
    folder = tmp_path_factory.mktemp("data")
    write_pictures(folder, count=10, labels=("blobs", "stripes"))
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
    assert np.trace(answer["metrics"]["confusion"]) == round(20 * answer["metrics"]["accuracy"])
    assert sum(each["images"] for each in answer["metrics"]["reliability"]) == 20
    for picture in ("out-confusion.png", "out-reliability.png"):
        with Image.open(tmp_path / picture) as drawn:
            assert min(drawn.size) > 200
    printed = capsys.readouterr().out
    assert "macro-F1" in printed
    assert "not read: blobs/broken.png" in printed


def test_pictures_of_no_label_are_measured(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate.main(["--out-of-scope", "--model", str(model), "--json", str(tmp_path / "out.json")])
    measured = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["metrics"]["out_of_scope"]
    counts = [kind["unclassified"] + sum(kind["labels"].values()) for kind in measured["kinds"].values()]
    assert counts == [10] * 10
    assert measured["unclassified_share"] == sum(k["unclassified"] for k in measured["kinds"].values()) / 100
    assert f"unclassified {measured['unclassified_share']:.3f} of 100" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        evaluate.main([])


def test_the_manifest_tells_how_it_was_judged(model: Path) -> None:
    manifest = json.loads((model / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["kind"], manifest["name"], manifest["version"]) == ("classifier", "shapes", "1")
    assert "did not see" in manifest["metrics"]["validated_on"]
    pictures = {"training.png", "confusion.png", "reliability.png"}
    assert set(manifest["files"]) == {"classifier.json", "weights.npz", "training.csv", *pictures}
    assert "CC BY 4.0" in manifest["data"]
    assert 1 <= manifest["metrics"]["epochs"] <= 4


def test_the_log_tells_every_epoch_and_the_picture_shows_them(model: Path) -> None:
    with (model / "training.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["head"] for row in rows if row["epoch"] == "1"] == [
        "fold 1 of 2, head 1 of 1",
        "fold 2 of 2, head 1 of 1",
        "all, head 1 of 1",
    ]
    for row in rows:
        assert float(row["loss"]) > 0
        assert bool(row["held_back_loss"]) == bool(row["held_back_accuracy"]) == row["head"].startswith("fold")
    with Image.open(model / "training.png") as picture:
        assert picture.width > picture.height


def test_the_same_command_again_takes_what_is_done_and_writes_the_same_model(
    data: Path, model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = (model / "classifier.json").read_bytes(), (model / "training.csv").read_bytes()
    train.main(["--data", str(data), "--out", str(model), *ARGUMENTS])
    assert ((model / "classifier.json").read_bytes(), (model / "training.csv").read_bytes()) == before
    assert "eye" not in capfd.readouterr().err  # no view passed through it again


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
