"""caption-service alone, as a process, with the shipped model, over real HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from PIL import Image

from shared.contracts import CaptionAnswer
from tests.live_platform import free_ports
from tests.pictures import photo_bytes

START_TIMEOUT_S = 120.0


@contextmanager
def _running(environment: dict[str, str]) -> Iterator[httpx.Client]:
    port = free_ports(1)[0]
    process = subprocess.Popen(
        [sys.executable, "-m", "caption_service"], env=os.environ | environment | {"CAPTION_PORT": str(port)}
    )
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        try:
            _wait_until_ready(client, process)
            yield client
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


def _wait_until_ready(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        assert process.poll() is None, "caption-service ended at its start"
        assert time.monotonic() < deadline, "caption-service did not become ready"
        try:
            if client.get("/health/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with _running({}) as client:
        yield client


def _describe(client: httpx.Client, image: bytes) -> CaptionAnswer:
    response = client.post("/v1/captions", content=image)
    response.raise_for_status()
    return CaptionAnswer.model_validate_json(response.content)


def test_a_photo_of_a_cat_is_described_as_an_animal(client: httpx.Client, photo: Path) -> None:
    answer = _describe(client, photo.read_bytes())
    assert {"cat", "dog", "animal"} & set(answer.captions[0].value.split()), answer.captions
    assert answer.model.name == "attention"


def test_captions_differ_and_come_with_falling_scores(client: httpx.Client, photo: Path) -> None:
    captions = _describe(client, photo.read_bytes()).captions
    assert len({each.value for each in captions}) == len(captions) > 1
    assert all(0 < each.confidence < 1 for each in captions)


def test_the_same_image_gets_the_same_words(client: httpx.Client) -> None:
    assert _describe(client, photo_bytes()) == _describe(client, photo_bytes())


def test_it_tells_where_it_looked_for_each_word_of_the_first_caption(client: httpx.Client, photo: Path) -> None:
    response = client.post("/v1/captions?attention=true&embedding=true", content=photo.read_bytes())
    answer = CaptionAnswer.model_validate_json(response.content)
    assert answer.captions == _describe(client, photo.read_bytes()).captions
    assert answer.embedding is not None
    assert answer.attention is not None
    assert [each.word for each in answer.attention] == answer.captions[0].value.split()
    for each in answer.attention:
        assert sum(map(sum, each.weights)) == pytest.approx(1.0, abs=2e-3)
    assert len({str(each.weights) for each in answer.attention}) > 1, "it looks elsewhere for another word"


def test_inference_time_is_counted(client: httpx.Client) -> None:
    _describe(client, photo_bytes())
    assert "inference_duration_seconds_count" in client.get("/metrics").text


@pytest.mark.timeout(600)  # two trainings, an evaluation and a service, on a machine that does other things, too
def test_own_captions_become_a_served_model(tmp_path: Path) -> None:
    """`caption-train` on drawn pictures, killed and resumed, measured with `caption-evaluate`, served."""
    images = tmp_path / "images"
    images.mkdir()
    rows = ["image,caption"]
    for name, colour in (("red", (220, 20, 20)), ("blue", (20, 20, 220))):
        for number in range(3):
            Image.new("RGB", (60, 40 + number), colour).save(images / f"{name}{number}.png")
            rows += [f"{name}{number}.png,a {name} picture with nothing in it"] * 2
    captions = tmp_path / "captions.csv"
    captions.write_text("\n".join(rows) + "\n")
    out, scores = tmp_path / "colours", tmp_path / "scores.json"
    data = ["--images", str(images), "--train", str(captions), "--dev", str(captions), "--cache", str(tmp_path / "c")]
    recipe = ["--batch-size", "2", "--averaging-momentum", "0.5", "--min-word-count", "1", "--patience", "9"]

    command = [
        str(Path(sys.executable).with_name("caption-train")),
        *data,
        "--out",
        str(out),
        *recipe,
        "--epochs",
        "14",
        "--learning-rate",
        "0.002",
    ]
    stopped = subprocess.Popen(command)
    state = tmp_path / "colours-training" / "state.npz"
    give_up = time.monotonic() + 240
    while not state.exists():
        assert stopped.poll() is None
        assert time.monotonic() < give_up
        time.sleep(0.1)
    stopped.kill()
    stopped.wait()
    resumed = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "going on after epoch" in resumed.stdout

    evaluate = str(Path(sys.executable).with_name("caption-evaluate"))
    options = ["--model", str(out), "--images", str(images), "--captions", str(captions), "--json", str(scores)]
    subprocess.run([evaluate, *options], check=True)
    result = json.loads(scores.read_text())
    assert set(result) == {"metrics", "predictions"}
    assert {"bleu_1", "bleu_4", "cider", "rouge_l", "meteor", "tokenizer"} <= set(result["metrics"])
    assert len(result["predictions"]) == 6

    with _running({"CAPTION_MODEL": str(out)}) as client:
        said = _describe(client, (images / "red1.png").read_bytes())
        assert said.model.name == "colours"
        assert said.captions[0].value == result["predictions"]["red1.png"]
        assert said.captions[0].value.startswith("a ")
