"""Data and options that no classifier can be trained with: one sentence each, before anything costly begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from classify_service.training import train
from tests.pictures import photo_bytes


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for label in ("cat", "dog"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(4):
            (tmp_path / "data" / label / f"{number}.jpg").write_bytes(photo_bytes(number))
    return tmp_path / "data"


def _sentence(data: Path, *more: str, out: Path | None = None) -> str:
    with pytest.raises(SystemExit) as ended:
        train.main(["--data", str(data), "--out", str(out or data.with_name("out")), *more])
    sentence = str(ended.value.code)
    assert sentence.startswith("classify-train: ")
    assert "\n" not in sentence
    return sentence


def test_too_few_images_of_a_label_are_counted(data: Path) -> None:
    assert "cat has 4, dog has 4 images, but each label needs at least 20: add some" in _sentence(data)


def test_an_empty_folder_is_named_with_what_can_be_in_it(data: Path) -> None:
    (data / "owl").mkdir()
    assert (
        "owl has no images (avif, bmp, gif, heic, heif, jpeg, jpg, png, tif, tiff, webp): put some in, or remove it"
        in _sentence(data)
    )


def test_one_label_is_too_few(data: Path) -> None:
    for file in (data / "dog").iterdir():
        file.unlink()
    (data / "dog").rmdir()
    assert "has 1 label folders; at least 2 are needed: give each label a folder" in _sentence(data)


def test_images_that_cannot_be_read_are_counted_and_the_first_is_named(data: Path) -> None:
    (data / "cat" / "1.jpg").write_bytes(photo_bytes()[:100])
    (data / "dog" / "2.jpg").write_bytes(b"no image at all")
    sentence = _sentence(data, "--min-images", "4", "--folds", "2", "--views", "1")
    assert f"cannot read {data / 'cat' / '1.jpg'} (" in sentence
    assert "and 1 more: remove such files, or save them anew" in sentence
    assert not data.with_name("out").exists()


def test_what_was_found_and_what_was_passed_over_is_told(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "cat" / "clip.MOV").write_bytes(b"")
    (data / "cat" / "._0.jpg").write_bytes(b"what another system leaves")
    (data / "dog" / "0.jpg").write_bytes(b"")
    _sentence(data, "--min-images", "4", "--folds", "2", "--views", "1")
    printed = capsys.readouterr().out
    assert "8 images: cat 4, dog 4" in printed
    assert "passed over, no images we read: 1 .mov" in printed


def test_a_folder_of_other_files_is_not_written_to(data: Path, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("…", encoding="utf-8")
    assert "has files in it and is no model" in _sentence(data, out=tmp_path / "letters")
    assert "is a file" in _sentence(data, out=tmp_path / "letters" / "dear.txt")


def test_the_model_is_not_written_among_the_pictures(data: Path) -> None:
    assert "lies in the pictures' folder" in _sentence(data, out=data / "model")


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--folds", "1", "at least 2"),
        ("--views", "0", "at least 1"),
        ("--epochs", "many", "at least 1"),
        ("--hold-back", "1", "at least 2"),
        ("--precision", "90", "from 0 to 1"),
    ],
)
def test_an_option_out_of_range_is_refused(
    data: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, sentence: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        train.main(["--data", str(data), "--out", "out", option, value])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_an_eye_that_fits_no_grid_is_refused(data: Path) -> None:
    assert "multiple of 144" in _sentence(data, "--min-images", "4", "--input-side", "100")


def test_weights_that_are_no_eye_are_refused(data: Path) -> None:
    assert "there is no weights file" in _sentence(data, "--min-images", "4", "--eye", str(data / "none.npz"))
