"""`caption-tune` and `caption-reward` for real, on a few drawn pictures: trained, killed, gone on with, served."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image, ImageDraw

from caption_service.model.architectures import build_by_name
from caption_service.model.captioner import Captioner
from caption_service.model.decoding import Decoding
from caption_service.model.saving import save_captioner
from caption_service.model.vocabulary import SPECIAL_TOKENS, Vocabulary
from caption_service.settings import default_encoder
from caption_service.training.reward import read_reward_options, reward
from caption_service.training.run import DECODINGS, TrainingStateError
from caption_service.training.tune import read_tuning_options, tune
from shared.artifacts import ArtifactError, file_sha256, read_manifest
from tests.fakes import manifest

COLOURS = {"red": (220, 20, 20), "blue": (20, 20, 220)}
ENCODER_SHA256 = file_sha256(default_encoder() / "encoder.npz")
KILL_AFTER_S = 200.0
TUNING = ["--epochs", "3", "--block-5-from-epoch", "2", "--captions-per-image", "2", "--min-word-count", "2"]
TUNING += ["--learning-rate", "0.02", "--warmup-steps", "2", "--images-per-step", "2", "--tokens", "6"]
REWARDING = ["--epochs", "3", "--samples-per-image", "3", "--learning-rate", "0.01", "--warmup-steps", "2"]
REWARDING += ["--images-per-step", "2", "--tokens", "6"]


@pytest.fixture(scope="module", autouse=True)
def _without_java() -> Iterator[None]:
    """The plain tokenizer is quicker, and METEOR leaves a pipe open."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "")
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw two photos and two signs, say something about them, and save a decoder that knows few words."""
    folder = tmp_path_factory.mktemp("better")
    for kind, words in (("photos", "a {} square"), ("signs", "{} writing")):
        rows = ["image,caption"]
        for name, colour in COLOURS.items():
            picture = Image.new("RGB", (60, 40), colour)
            if kind == "signs":
                ImageDraw.Draw(picture).text((4, 10), "STOP", fill="white")
            (folder / kind).mkdir(exist_ok=True)
            picture.save(folder / kind / f"{name}.png")
            rows += [f"{name}.png,{words.format(name)}", f"{name}.png,the {words.format(name)}"]
        (folder / f"{kind}.csv").write_text("\n".join(rows) + "\n")
    _save_start(folder / "start", "attention", grid_side=7, attention_size=6)
    return folder


def _save_start(folder: Path, architecture: str, *, encoder_sha256: str = ENCODER_SHA256, **sizes: object) -> None:
    keras.utils.set_random_seed(3)
    vocabulary = Vocabulary((*SPECIAL_TOKENS, "a", "red", "square", "sky"))
    sizes |= {"vocabulary_size": len(vocabulary), "feature_rms": 10.0, "embedding_size": 12, "lstm_size": 16}
    unsaved = manifest("captioner").model_copy(update={"sizes": {"encoder_sha256": encoder_sha256}})
    save_captioner(
        folder, unsaved, decoder=build_by_name(architecture, sizes), vocabulary=vocabulary, decoding=Decoding()
    )


def _data(folder: Path) -> list[str]:
    photos, signs = ([str(folder / kind), str(folder / f"{kind}.csv")] for kind in ("photos", "signs"))
    data = ["--data-set", *photos, "1", "--unmirrored", *signs, "2", "--dev-set", "photos", *photos]
    return [*data, "--dev-set", "signs", *signs, "--cache", str(folder / "cache")]


def _tuning(folder: Path, out: str, *more: str) -> list[str]:
    begun = ["--start-from", str(folder / "start"), "--out", str(folder / out)]
    return [*_data(folder), *begun, "--encoder-out", str(folder / f"{out}-encoder"), *TUNING, *more]


def _rewarding(folder: Path, out: str, *more: str) -> list[str]:
    begun = ["--start-from", str(folder / "tuned"), "--encoder", str(folder / "tuned-encoder")]
    return [*_data(folder), *begun, "--out", str(folder / out), *REWARDING, *more]


@contextmanager
def _choosing_between_two() -> Iterator[None]:
    """Let all runs but the first try two ways of searching, not six, each of which takes a graph of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("caption_service.training.run.DECODINGS", DECODINGS[:2])
        yield


@pytest.fixture(scope="module")
def tuned(folder: Path) -> Path:
    tune(read_tuning_options(_tuning(folder, "tuned")))
    return folder / "tuned"


@pytest.fixture(scope="module")
def rewarded(folder: Path, tuned: Path) -> Path:
    with _choosing_between_two():
        reward(read_reward_options(_rewarding(folder, "rewarded")))
    return folder / "rewarded"


def _log(out: Path) -> list[dict[str, str]]:
    with (out.with_name(f"{out.name}-training") / "log.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def _said(out: Path, encoder: Path, picture: Path) -> set[str]:
    captioner = Captioner.load(out, encoder_folder=encoder)
    pixels = np.asarray(Image.open(picture).resize((224, 224)), np.uint8)
    return {word for caption in captioner.describe(pixels[None])[0] for word in caption.sentence.split()}


def _weights(file: Path) -> dict[str, np.ndarray]:
    with np.load(file) as stored:
        return {name: stored[name].astype(np.float32) for name in stored}


def test_tuning_writes_a_model_and_its_encoder_and_both_are_served(folder: Path, tuned: Path) -> None:
    encoder = folder / "tuned-encoder"
    told, base = read_manifest(encoder, kind="encoder"), read_manifest(default_encoder(), kind="encoder")
    assert set(told.files) == {"encoder.npz"}
    assert (encoder / "encoder.npz").stat().st_size < 30e6
    assert "embedding" in base.sizes
    assert "embedding" not in told.sizes
    assert read_manifest(tuned, kind="captioner").sizes["encoder_sha256"] == told.files["encoder.npz"] != ENCODER_SHA256
    before, after = _weights(default_encoder() / "encoder.npz"), _weights(encoder / "encoder.npz")
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed <= {name for name in before if name.startswith("block5_")}
    assert {name for name in before if name.startswith("block5_") and name.endswith("kernel")} <= changed
    assert _said(tuned, encoder, folder / "signs" / "red.png") <= set(Vocabulary.read(tuned / "vocabulary.json").tokens)


def test_new_words_follow_the_known_ones(tuned: Path) -> None:
    """`sky` is kept though nobody says it here; signs count twice, so their words come first."""
    assert Vocabulary.read(tuned / "vocabulary.json").tokens[4:] == (
        "a",
        "red",
        "square",
        "sky",
        "writing",
        "blue",
        "the",
    )


def test_the_log_tells_each_epoch_of_each_dev_set_and_the_start(tuned: Path) -> None:
    rows = _log(tuned)
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3"]
    assert rows[0]["train_loss"] == ""
    assert float(rows[3]["train_loss"]) < float(rows[1]["train_loss"])
    scores = [f"{name}_{score}" for name in ("photos", "signs") for score in ("bleu_1", "bleu_4", "cider", "rouge_l")]
    assert list(rows[0]) == ["epoch", "train_loss", "seconds", *scores]
    assert (tuned.with_name("tuned-training") / "curve.png").stat().st_size > 0


def test_only_what_has_no_writing_is_kept_mirrored(folder: Path, tuned: Path) -> None:
    views = sorted(file.name.split("-")[2] for file in (folder / "cache").iterdir())
    assert views == ["large", "large", "mirrored", "whole", "whole"]


def test_rewarding_goes_on_from_the_tuned_model_and_leaves_its_encoder(folder: Path, rewarded: Path) -> None:
    encoder = folder / "tuned-encoder"
    sizes = read_manifest(rewarded, kind="captioner").sizes
    assert sizes["encoder_sha256"] == file_sha256(encoder / "encoder.npz")
    assert not (folder / "rewarded-training" / "best-encoder").exists()
    assert _said(rewarded, encoder, folder / "photos" / "blue.png")
    before, after = (_weights(out / "decoder.npz") for out in (folder / "tuned", rewarded))
    assert any(not np.array_equal(before[name], after[name]) for name in before)
    rows = _log(rewarded)
    assert list(rows[0])[:3] == ["epoch", "train_reward", "train_loss"]
    assert all(float(row["train_reward"]) >= 0 for row in rows[1:])


def _killed(module: str, arguments: list[str], state: Path) -> None:
    """Run a command until its second epoch is kept, and kill it."""
    command = [sys.executable, "-m", f"caption_service.training.{module}", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    give_up = time.monotonic() + KILL_AFTER_S
    while not (state.exists() and _epoch_of(state) == 2):
        assert process.poll() is None, process.communicate()[1].decode()
        assert time.monotonic() < give_up
        time.sleep(0.02)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def _epoch_of(state: Path) -> int:
    with np.load(state) as stored:
        return int(json.loads(str(stored["progress"]))["epoch"])


def _assert_same_weights(file: Path, expected: Path) -> None:
    weights, whole = _weights(file), _weights(expected)
    for name, weight in weights.items():
        np.testing.assert_allclose(weight, whole[name], atol=2e-3, rtol=2e-3, err_msg=name)


def test_a_killed_tuning_goes_on_to_the_same_weights(
    folder: Path, tuned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = _tuning(folder, "tuned-again")
    _killed("tune", arguments, folder / "tuned-again-training" / "state.npz")
    with _choosing_between_two():
        tune(read_tuning_options(arguments))
    assert "going on after epoch 2" in capsys.readouterr().out
    assert [row["epoch"] for row in _log(folder / "tuned-again")] == ["0", "1", "2", "3"]
    _assert_same_weights(folder / "tuned-again" / "decoder.npz", tuned / "decoder.npz")
    _assert_same_weights(folder / "tuned-again-encoder" / "encoder.npz", folder / "tuned-encoder" / "encoder.npz")


def test_a_killed_rewarding_goes_on_to_the_same_weights(
    folder: Path, rewarded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = _rewarding(folder, "rewarded-again")
    _killed("reward", arguments, folder / "rewarded-again-training" / "state.npz")
    with _choosing_between_two():
        reward(read_reward_options(arguments))
    assert "going on after epoch 2" in capsys.readouterr().out
    _assert_same_weights(folder / "rewarded-again" / "decoder.npz", rewarded / "decoder.npz")


def test_a_frozen_block_5_leaves_the_model_with_the_encoder_that_it_had(folder: Path) -> None:
    begun = ["--start-from", str(folder / "start"), "--out", str(folder / "frozen"), *TUNING, "--epochs", "1"]
    with _choosing_between_two():
        told = tune(read_tuning_options([*_data(folder), *begun, "--block-5-learning-rate", "0"]))
    assert told.sizes["encoder_sha256"] == ENCODER_SHA256
    assert not (folder / "frozen-training" / "best-encoder").exists()


def test_a_half_done_training_with_other_settings_is_not_gone_on_with(folder: Path, tuned: Path) -> None:
    with pytest.raises(TrainingStateError, match="belongs to a run with other settings"):
        tune(read_tuning_options(_tuning(folder, "tuned", "--label-smoothing", "0.2")))


def test_a_model_that_sees_something_else_or_by_another_encoder_is_refused(folder: Path, tmp_path: Path) -> None:
    def refused(options: Namespace, words: str) -> None:
        with pytest.raises(ArtifactError, match=words):
            tune(options)

    _save_start(tmp_path / "merge", "merge", sight="regions")
    options = read_tuning_options(_tuning(folder, "o"))
    options.start_from = tmp_path / "merge"
    refused(options, "takes regions, but only models that take map7")
    _save_start(tmp_path / "other", "attention", encoder_sha256="0", grid_side=7, attention_size=6)
    options.start_from = tmp_path / "other"
    refused(options, "was trained on another encoder than")
