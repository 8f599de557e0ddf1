"""The command classify-explain with the shipped model."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classify_service.explaining import explain
from tests.pictures import drawn_picture, encoded


def test_a_photo_is_explained_in_a_picture_and_in_words(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    explain.main([str(photo), str(tmp_path / "why.png")])
    printed = capsys.readouterr().out
    assert re.match(r"(photo|unclassified); best label photo, confidence 0\.[5-9]", printed)
    assert "usually" in printed
    with Image.open(tmp_path / "why.png") as drawn:
        assert drawn.width > 2 * drawn.height
        assert np.asarray(drawn.convert("L")).std() > 20
    assert [file.name for file in tmp_path.iterdir()] == ["why.png"]


def test_mistakes_are_answered_in_one_sentence(photo: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.png"
    own.write_bytes(encoded(drawn_picture(), "PNG"))
    for arguments, said in (
        ([str(photo), "why.jpg"], "is no name of a PNG"),
        ([str(photo), str(tmp_path / "none" / "why.png")], "there is no folder"),
        ([str(own), str(own)], "is the image itself"),
        ([str(tmp_path / "none.jpg"), str(tmp_path / "why.png")], "cannot be explained: the file cannot be read"),
        ([str(photo), str(tmp_path / "why.png"), "--model", str(tmp_path)], "is not a model"),
    ):
        with pytest.raises(SystemExit, match=f"classify-explain: .*{said}"):
            explain.main(arguments)
    assert [file.name for file in tmp_path.iterdir()] == ["own.png"]
