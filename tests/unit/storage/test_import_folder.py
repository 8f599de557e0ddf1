"""Which files of a folder are imported, and with which label."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage_service.importing.folder import find_images, label_named


@pytest.mark.parametrize(
    ("folder", "label"),
    [
        ("dog", "dog"),
        ("Holiday Rome", "holiday_rome"),
        ("Müll & Gerümpel", "mull_gerumpel"),
        ("con-", "con"),
        ("2019", "2019"),
        ("question_paper", "question_paper"),
        ("日本", None),
        ("🐕", None),
        ("...", None),
        ("x" * 65, None),
    ],
)
def test_a_folders_name_means_a_label(folder: str, label: str | None) -> None:
    assert label_named(folder) == label


def test_the_folder_directly_below_gives_the_label(tmp_path: Path) -> None:
    for name in ("top.jpg", "dog/a.jpg", "dog/old/b.jpg", "unclassified/c.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")

    labels = {one.file.name: one.label for one in find_images(tmp_path, with_labels=True).candidates}
    assert labels == {"top.jpg": None, "a.jpg": "dog", "b.jpg": "dog", "c.jpg": None}
    assert {one.label for one in find_images(tmp_path, with_labels=False).candidates} == {None}


def test_a_link_to_a_folder_above_is_not_walked_for_ever(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    found = find_images(tmp_path, with_labels=False)
    assert found.candidates == []
    assert [file.name for file, _ in found.refused] == ["up"]
