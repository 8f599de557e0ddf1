"""A model that cannot be used says why in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.artifacts import MANIFEST_NAME, ArtifactError, Manifest, read_manifest, write_manifest


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "weights.bin").write_bytes(b"weights")
    plain = Manifest(kind="encoder", name="m", version="1", created="", commit="", sizes={}, metrics={}, data="")
    write_manifest(tmp_path, plain)
    return tmp_path


def test_a_whole_model_is_read(model: Path) -> None:
    assert list(read_manifest(model, kind="encoder").files) == ["weights.bin"]


def test_a_newer_format_is_told_even_when_it_has_fields_that_we_do_not_know(model: Path) -> None:
    file = model / MANIFEST_NAME
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 2, "colour": "blue"}))
    with pytest.raises(ArtifactError, match="has format 2, this version reads up to 1: update Legenda"):
        read_manifest(model, kind="encoder")


def test_a_manifest_that_is_no_json_is_told(model: Path) -> None:
    (model / MANIFEST_NAME).write_text("{")
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_manifest(model, kind="encoder")


def test_a_changed_file_is_told(model: Path) -> None:
    (model / "weights.bin").write_bytes(b"others")
    with pytest.raises(ArtifactError, match="SHA-256 differs"):
        read_manifest(model, kind="encoder")


def test_a_missing_file_is_told(model: Path) -> None:
    (model / "weights.bin").unlink()
    with pytest.raises(ArtifactError, match=r"weights\.bin is missing"):
        read_manifest(model, kind="encoder")


def test_a_model_of_another_kind_is_told(model: Path) -> None:
    with pytest.raises(ArtifactError, match="of kind encoder, but one of kind captioner is needed"):
        read_manifest(model, kind="captioner")
