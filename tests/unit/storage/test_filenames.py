from __future__ import annotations

import re
from uuid import UUID

import pytest

from storage_service.filenames import clean_filename, filed_path, preview_path

ID = UUID("01a20590-ed9c-746f-9720-055fdb2c31f4")

HOSTILE = [
    "../../../etc/passwd",
    "..\\..\\windows\\system32\\cmd.exe",
    "/absolute/path.jpg",
    "C:\\dog.jpg",
    "dog\x00.jpg",
    "dog\r\nSet-Cookie: x.jpg",
    "🐕🐕🐕.jpg",
    "\u202egpj.exe",
    "\u200f\u200e.jpg",
    "x" * 500 + ".jpg",
    "漢" * 500,
    "CON",
    "con.jpg",
    "NUL.tar.gz",
    "",
    " ",
    ".",
    "..",
    ".hidden",
    "trailing. . .",
    'a<b>c:d"e|f?g*h.jpg',
    "-rf",
    "$(reboot).jpg",
    "%2e%2e%2f.jpg",
]


def _filed(filename: str, label: str = "photo") -> str:
    return filed_path(label=label, filename=clean_filename(filename), image_id=ID, media_type="image/jpeg")


@pytest.mark.parametrize("filename", HOSTILE)
def test_every_name_becomes_a_file_below_its_label_on_every_system(filename: str) -> None:
    folder, name = _filed(filename).split("/")

    assert folder == "photo"
    assert re.fullmatch(rf"[\w-]+--{ID}\.jpg", name)
    assert not re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)", name.split(".")[0])
    assert not name.startswith("-")
    assert len(name.encode()) <= 255


def test_a_person_recognises_the_name() -> None:
    assert _filed("Ferien 2024 (Zürich).JPG") == f"photo/Ferien_2024_Zürich--{ID}.jpg"
    assert _filed("犬.png") == f"photo/犬--{ID}.jpg"


def test_decomposed_and_composed_names_are_filed_alike() -> None:
    assert _filed("Zu\u0308rich.jpg") == _filed("Z\u00fcrich.jpg")


def test_labels_that_windows_reserves_have_a_folder_of_their_own() -> None:
    assert _filed("dog.jpg", label="con") == f"con-/dog--{ID}.jpg"
    assert _filed("dog.jpg", label="contract") == f"contract/dog--{ID}.jpg"


def test_previews_lie_in_a_hidden_tree() -> None:
    assert preview_path(ID) == f".previews/{ID}.jpg"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("dog.jpg", "dog.jpg"),
        ("../dog.jpg", "../dog.jpg"),
        ("d\x00o\x1bg\u2028.jpg", "dog.jpg"),
        ("🐕.jpg", "🐕.jpg"),
        ("x" * 500, "x" * 255),
        ("", "image"),
        (" \n", "image"),
    ],
)
def test_the_name_is_shown_as_given_without_control_characters(given: str, kept: str) -> None:
    assert clean_filename(given) == kept
