"""The real service with the shipped model, over real HTTP."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from PIL import Image

from classify_service.model.artifact import load
from classify_service.settings import SHIPPED_MODEL, ClassifySettings
from shared.contracts import ClassificationAnswer, Health
from shared.settings_help import variables
from tests.integration.classify.live_service import START_TIMEOUT_S, running_service
from tests.live_platform import ROOT, free_ports
from tests.pictures import drawn_picture, encoded

README = ROOT / "classify-service" / "README.md"
MAX_ARTIFACT_BYTES = 15 * 1024 * 1024


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with running_service(tmp_path_factory.mktemp("service")) as client:
        yield client


def _flow_chart() -> bytes:
    """Draw boxes joined by arrows, with a word in each."""
    sheet = np.full((380, 512, 3), 255, dtype=np.uint8)
    for row in range(3):
        for column in range(3):
            x, y = 30 + 165 * column, 30 + 120 * row
            cv2.rectangle(sheet, (x, y), (x + 110, y + 60), (0, 0, 0), 2)
            cv2.putText(sheet, "step", (x + 25, y + 36), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0, 0, 0), 1)
            if column < 2:
                cv2.arrowedLine(sheet, (x + 112, y + 30), (x + 162, y + 30), (0, 0, 0), 2)
            if row < 2:
                cv2.arrowedLine(sheet, (x + 55, y + 62), (x + 55, y + 118), (0, 0, 0), 2)
    return cv2.imencode(".png", sheet)[1].tobytes()


def test_a_drawn_flow_chart_is_a_diagram(service: httpx.Client) -> None:
    response = service.post("/v1/classifications", content=_flow_chart())
    answer = ClassificationAnswer.model_validate_json(response.content)
    assert answer.labels[0].value == "diagram"
    assert (
        0.9 < sum(each.confidence for each in answer.labels) <= 1 + 1e-6
    )  # the rest is for what has none of the labels
    assert len(answer.labels) == 10


def test_a_label_is_explained_where_and_why(service: httpx.Client) -> None:
    chart = Image.open(io.BytesIO(_flow_chart())).convert("RGB")
    sheet = Image.new("RGB", (2 * chart.width, chart.height), "white")
    sheet.paste(chart, (chart.width, 0))
    response = service.post("/v1/classifications", params={"explain": "true"}, content=encoded(sheet, "PNG"))
    answer = ClassificationAnswer.model_validate_json(response.content)
    assert answer.explanation
    assert answer.explanation.label == answer.labels[0].value == "diagram"
    left, right = np.array_split(np.array(answer.explanation.map), [4], axis=1)
    assert right.mean() > 2 * left.mean()
    assert "lines" in answer.explanation.words or "edges" in answer.explanation.words
    weights = [feature.weight for feature in answer.explanation.features]
    assert weights == sorted(weights, reverse=True)


def test_the_same_picture_in_another_format_gets_the_same_label(service: httpx.Client) -> None:
    sheet = cv2.imdecode(np.frombuffer(_flow_chart(), np.uint8), cv2.IMREAD_COLOR)
    for suffix in (".jpg", ".webp", ".bmp", ".tiff"):
        body = cv2.imencode(suffix, sheet)[1].tobytes()
        answer = ClassificationAnswer.model_validate_json(service.post("/v1/classifications", content=body).content)
        assert answer.labels[0].value == "diagram", suffix


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 415, "unsupported_image"),
        (b"not an image", 415, "unsupported_image"),
        (encoded(drawn_picture(300, 300))[:600], 422, "broken_image"),
        (encoded(drawn_picture(8000, 8000), "PNG"), 413, "image_too_large"),
    ],
)
def test_hostile_bytes_get_their_problem(service: httpx.Client, body: bytes, status: int, code: str) -> None:
    response = service.post("/v1/classifications", content=body)
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_single_pixel_gets_an_answer(service: httpx.Client) -> None:
    assert service.post("/v1/classifications", content=encoded(Image.new("RGB", (1, 1)), "PNG")).status_code == 200


def test_health_names_the_shipped_model(service: httpx.Client) -> None:
    health = Health.model_validate_json(service.get("/health/ready").content)
    assert [model.name for model in health.models] == ["vgg16-opencv"]


def test_its_api_is_documented(service: httpx.Client) -> None:
    described = service.get("/openapi.json").json()["paths"]["/v1/classifications"]["post"]
    assert {"413", "415", "422", "503", "504"} <= set(described["responses"])
    assert "image/*" in described["requestBody"]["content"]


def test_the_shipped_model_is_small_and_says_how_good_it_is() -> None:
    _, manifest = load(SHIPPED_MODEL)
    assert sum(file.stat().st_size for file in SHIPPED_MODEL.iterdir()) < MAX_ARTIFACT_BYTES
    assert manifest.metrics["macro_f1"] >= 0.7


def test_a_folder_that_is_no_model_ends_the_process_with_one_sentence(tmp_path: Path) -> None:
    ended = _run(tmp_path, CLASSIFY_MODEL=str(tmp_path), CLASSIFY_PORT=str(free_ports(1)[0]))
    assert ended.returncode == 3
    assert "classify cannot start" in ended.stderr
    assert "is not a model" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_help_tells_every_setting_and_starts_nothing(tmp_path: Path) -> None:
    ended = _run(tmp_path, "--help")
    assert ended.returncode == 0
    for variable, _ in variables(ClassifySettings):
        assert f"  {variable} (" in ended.stdout
    assert str(SHIPPED_MODEL.name) in ended.stdout


def test_the_readmes_table_lists_every_endpoint(service: httpx.Client) -> None:
    described = service.get("/openapi.json").json()["paths"]
    endpoints = {f"{method.upper()} {path}" for path, calls in described.items() for method in calls}
    rows = re.findall(r"^\| `(GET|POST) ([^|]+)` \|", README.read_text(encoding="utf-8"), flags=re.MULTILINE)
    listed = {f"{method} {path}" for method, paths in rows for path in paths.split("`, `")}
    assert listed == endpoints | {"GET /metrics", "GET /docs", "GET /openapi.json"}
    for path in ("/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json"):
        assert service.get(path).status_code == 200, path


def _run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "classify_service", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=START_TIMEOUT_S,
    )
