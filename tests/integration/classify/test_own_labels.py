"""The page `classify-service/TRAINING.md`, followed: its commands, at small size, end in a served model."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from shared.contracts import ClassificationAnswer, Health
from tests.integration.classify.drawn_labels import LABELS, write_pictures
from tests.integration.classify.live_service import running_service
from tests.live_platform import ROOT

PAGE = ROOT / "classify-service" / "TRAINING.md"
SMALL = ["--views", "1", "--folds", "2", "--heads", "1", "--epochs", "3"]
TRAINING_TIMEOUT_S = 200


@pytest.fixture(scope="module")
def commands() -> dict[str, list[str]]:
    """Return the words of each command that the page has under "Your own labels", by the command's name."""
    own_labels = PAGE.read_text(encoding="utf-8").split("## What a training does")[0]
    lines = "\n".join(re.findall(r"```sh\n(.*?)```", own_labels, flags=re.DOTALL)).splitlines()
    return {Path(words[0]).name: words for words in map(shlex.split, lines) if words}


def test_the_page_leads_from_pictures_to_answers(commands: dict[str, list[str]], tmp_path: Path) -> None:
    train = commands["classify-train"]
    data, out = (tmp_path / train[train.index(option) + 1] for option in ("--data", "--out"))
    write_pictures(data, count=20)

    trained = subprocess.run(
        [Path(sys.executable).with_name("classify-train"), *train[1:], *SMALL],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=TRAINING_TIMEOUT_S,
    )
    assert trained.returncode == 0, trained.stderr
    assert "80 images: blobs 20, columns 20, stripes 20, words 20" in trained.stdout
    assert f"Written to {out.name}" in trained.stdout
    assert {file.name for file in out.iterdir()} >= {"manifest.json", "training.csv", "training.png"}

    model = commands[f"CLASSIFY_MODEL={out.name}"][0].partition("=")[2]
    path = urlsplit(commands["curl"][-1]).path
    with running_service(tmp_path, CLASSIFY_MODEL=model) as client:
        health = Health.model_validate_json(client.get("/health/ready").content)
        assert [each.name for each in health.models] == [out.name]
        best = {label: _answer(client, path, data / label / "0.png").labels[0].value for label in LABELS}
    assert best == {label: label for label in LABELS}


def _answer(client: httpx.Client, path: str, image: Path) -> ClassificationAnswer:
    answer = ClassificationAnswer.model_validate_json(client.post(path, content=image.read_bytes()).content)
    assert {each.value for each in answer.labels} == set(LABELS)
    return answer


def test_the_page_names_only_what_is_there(commands: dict[str, list[str]]) -> None:
    assert commands["make"][1] == "setup"
    assert commands[next(name for name in commands if name.startswith("CLASSIFY_MODEL"))][1:] == ["make", "run"]
    for target in re.findall(r"\]\(([^)]+)\)", PAGE.read_text(encoding="utf-8")):
        assert (PAGE.parent / target).is_file(), target
    assert os.access(Path(sys.executable).with_name("classify-evaluate"), os.X_OK)
