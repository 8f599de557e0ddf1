from __future__ import annotations

import re
import unicodedata
from uuid import UUID

import pytest

from storage_service.filenames import clean_filename, filed_path, id_in, preview_path

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


@pytest.mark.parametrize("label", ["con", "prn", "aux", "nul", "com0", "com1", "com9", "lpt0", "lpt9"])
def test_no_folder_has_a_name_that_windows_reserves(label: str) -> None:
    assert _filed("dog.jpg", label=label).startswith(f"{label}-/")


@pytest.mark.parametrize("filename", HOSTILE)
def test_names_are_composed_and_end_in_no_dot_or_space(filename: str) -> None:
    path = _filed(filename)

    assert unicodedata.is_normalized("NFC", path)
    assert not [part for part in path.split("/") if part.endswith((".", " "))]


def test_names_that_differ_only_in_capitals_do_not_collide() -> None:
    other = UUID("01a20590-ed9c-746f-9720-055fdb2c31f5")
    first = filed_path(label="photo", filename="DOG.JPG", image_id=ID, media_type="image/jpeg")
    second = filed_path(label="photo", filename="dog.jpg", image_id=other, media_type="image/jpeg")

    assert first.casefold() != second.casefold()


def test_the_longest_path_leaves_room_below_the_260_characters_of_windows() -> None:
    assert len(_filed("x" * 500, label="l" * 64)) <= 210


@pytest.mark.parametrize("filename", HOSTILE)
def test_a_files_id_can_be_read_from_its_name(filename: str) -> None:
    assert id_in(_filed(filename)) == ID
    assert id_in(preview_path(ID)) == ID


@pytest.mark.parametrize(
    "path", ["photo/dog.jpg", f"photo/dog--{ID}x.jpg", "photo/", ".incoming/0123", f"{ID.hex}.jpg"]
)
def test_other_names_have_no_id(path: str) -> None:
    assert id_in(path) is None
