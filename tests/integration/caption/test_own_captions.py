"""The page "Your own captions" of TRAINING.md, followed for real: drawn pictures, the command, the service."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from shared.contracts import CaptionAnswer
from shared.errors import Problem
from tests.live_platform import free_ports

START_TIMEOUT_S = 120.0
COLOURS = {"red": (220, 20, 20), "blue": (20, 20, 220)}
ENVIRONMENT = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2", "PATH": ""}
"""Without Java: METEOR takes ten seconds to read its table; test_service.py trains and evaluates with it."""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw six pictures of each colour, and train on them with the merge architecture, without a dev file."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "photos").mkdir()
    rows = ["image,caption"]
    for name, colour in COLOURS.items():
        for number in range(6):
            picture = Image.new("RGB", (60, 40), colour)
            picture.paste((240, 240, 240), (5 * number, 0, 5 * number + 8, 40))
            picture.save(folder / "photos" / f"{name}{number}.png")
            rows.append(f"{name}{number}.png,a {name} picture with one bright bar")
    (folder / "photos" / "captions.csv").write_text("\n".join(rows) + "\n")
    command = [str(Path(sys.executable).with_name("caption-train"))]
    command += ["--architecture", "merge", "--images", "photos", "--train", "photos/captions.csv", "--out", "mine"]
    command += [
        "--min-word-count",
        "1",
        "--epochs",
        "15",
        "--patience",
        "15",
        "--batch-size",
        "2",
        "--learning-rate",
        "0.002",
    ]
    command += ["--dropout", "0.2"]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, check=True, capture_output=True, text=True)
    assert "1 of 12 images are held back" in done.stdout
    return folder


@pytest.fixture(scope="module")
def client(own: Path) -> Iterator[httpx.Client]:
    port = free_ports(1)[0]
    settings = {"CAPTION_MODEL": str(own / "mine"), "CAPTION_PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-m", "caption_service"], env=ENVIRONMENT | settings)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        try:
            give_up = time.monotonic() + START_TIMEOUT_S
            while not _is_ready(client):
                assert process.poll() is None, "caption-service ended at its start"
                assert time.monotonic() < give_up, "caption-service did not become ready"
                time.sleep(0.2)
            yield client
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/health/ready").is_success
    except httpx.TransportError:
        return False


def _ask(client: httpx.Client, image: bytes, query: str = "") -> CaptionAnswer:
    response = client.post(f"/v1/captions{query}", content=image)
    response.raise_for_status()
    return CaptionAnswer.model_validate_json(response.content)


def test_the_training_leaves_a_model_a_log_and_a_curve(own: Path) -> None:
    told = json.loads((own / "mine" / "manifest.json").read_text())
    assert (told["sizes"]["architecture"], told["sizes"]["sight"]) == ("merge", "regions")
    assert set(told["files"]) == {"decoder.npz", "vocabulary.json"}
    assert "1 of 12 images held back as dev" in told["data"]
    assert (own / "mine-training" / "log.csv").read_text().startswith("epoch,train_loss,seconds,dev_bleu_1")
    with Image.open(own / "mine-training" / "curve.png") as curve:
        assert curve.width > 500


def test_the_service_says_what_was_taught(own: Path, client: httpx.Client) -> None:
    for name in COLOURS:
        answer = _ask(client, (own / "photos" / f"{name}2.png").read_bytes())
        assert answer.model.name == "mine"
        assert answer.captions[0].value == f"a {name} picture with one bright bar"


def test_similar_pictures_are_nearer_than_different_ones(own: Path, client: httpx.Client, photo: Path) -> None:
    """The same scene a little darker and cut is nearer than any drawing; drawings of one colour are nearest."""
    with Image.open(photo) as cat:
        changed = cat.crop((8, 8, cat.width - 8, cat.height - 8)).point(lambda value: int(0.85 * value))
        changed.save(own / "changed.jpg", quality=60)
    files = [photo, own / "changed.jpg", *(own / "photos" / f"{name}.png" for name in ("red1", "red2", "blue1"))]
    answers = [_ask(client, file.read_bytes(), "?embedding=true") for file in files]
    embeddings = np.array([answer.embedding for answer in answers])
    cat, cat_again, red, red_again, blue = embeddings
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1.0, atol=1e-4)
    assert cat @ cat_again > 0.8
    assert cat @ cat_again > max(cat @ red, cat @ blue) + 0.4
    assert red @ red_again > red @ blue


def test_the_words_are_the_same_with_and_without_the_embedding(own: Path, client: httpx.Client) -> None:
    image = (own / "photos" / "blue3.png").read_bytes()
    asked, plain = _ask(client, image, "?embedding=true"), _ask(client, image)
    assert plain.embedding is None
    assert asked.captions == plain.captions


def test_a_model_of_one_vector_says_that_it_does_not_attend(own: Path, client: httpx.Client) -> None:
    response = client.post("/v1/captions?attention=true", content=(own / "photos" / "blue3.png").read_bytes())
    problem = Problem.model_validate_json(response.content)
    assert (response.status_code, problem.code) == (400, "bad_request")
    assert "mine sees the picture as a whole" in problem.detail


def test_too_few_captions_for_a_confidence_are_told_in_one_sentence(own: Path) -> None:
    command = [str(Path(sys.executable).with_name("caption-calibrate")), "--model", "mine"]
    command += ["--images", "photos", "--captions", "photos/captions.csv"]
    ended = subprocess.run(command, cwd=own, env=ENVIRONMENT, check=False, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("caption-calibrate: 12 of 12 captions reach CIDEr-D 0.4: a curve")
    assert "calibration" not in (own / "mine" / "manifest.json").read_text()


def test_a_broken_model_stops_the_service_with_one_sentence(own: Path, tmp_path: Path) -> None:
    settings = {"CAPTION_MODEL": str(tmp_path), "CAPTION_PORT": str(free_ports(1)[0])}
    ended = subprocess.run(
        [sys.executable, "-m", "caption_service"],
        env=ENVIRONMENT | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 3
    assert f"{tmp_path} is not a model: it has no manifest.json" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
