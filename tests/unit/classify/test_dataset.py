"""Folders of folders, sources and folds."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classify_service.training.dataset import (
    DatasetError,
    Example,
    check_label,
    read_examples,
    read_others,
    read_squashed,
    with_sources,
)
from classify_service.training.folds import LEARNT_IN_EVERY_FOLD, assign_folds, hold_back
from classify_service.training.sampling import draw_shares
from tests.pictures import photo_bytes


def _write(data: Path, *names: str) -> None:
    for name in names:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(photo_bytes())


def _example(label: str, source: str, number: int = 0) -> Example:
    name = f"{label}/{source}-{number}.jpg"
    return Example(name, Path(name), label, source)


def test_each_folder_is_a_label(tmp_path: Path) -> None:
    _write(tmp_path, "dog/b.png", "cat/deep/a.jpg", "cat/c.JPEG", ".hidden/x.jpg")
    _write(tmp_path, "cat/notes.txt", "manifest.csv")
    found = [(example.name, example.label) for example in read_examples(tmp_path)]
    assert found == [("cat/c.JPEG", "cat"), ("cat/deep/a.jpg", "cat"), ("dog/b.png", "dog")]


@pytest.mark.parametrize("name", ["Holiday", "my photos", "a" * 65, "ä"])
def test_a_folder_name_that_is_no_label_is_refused(tmp_path: Path, name: str) -> None:
    _write(tmp_path, f"{name}/a.jpg", "cat/a.jpg")
    with pytest.raises(DatasetError, match="is no label"):
        read_examples(tmp_path)


def test_unclassified_is_no_label_to_learn() -> None:
    with pytest.raises(DatasetError, match="no folder may be"):
        check_label("unclassified")


def test_an_empty_label_is_named(tmp_path: Path) -> None:
    _write(tmp_path, "cat/a.jpg", "dog/readme.txt")
    with pytest.raises(DatasetError, match=r"dog has no images"):
        read_examples(tmp_path)


def test_one_label_is_too_few_to_learn_but_enough_to_measure(tmp_path: Path) -> None:
    _write(tmp_path, "cat/a.jpg")
    with pytest.raises(DatasetError, match="has 1 label folders; at least 2"):
        read_examples(tmp_path)
    assert len(read_examples(tmp_path, min_labels=1)) == 1


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no folder"):
        read_examples(tmp_path / "nowhere")


def test_sources_come_from_the_csv(tmp_path: Path) -> None:
    _write(tmp_path, "cat/a.jpg", "dog/b.jpg")
    manifest = tmp_path / "m.csv"
    manifest.write_text("file,label,source_repo,more\ncat/a.jpg,cat,x/y,1\ndog/b.jpg,dog,z,2\n", encoding="utf-8")
    assert [each.source for each in with_sources(read_examples(tmp_path), manifest)] == ["x/y", "z"]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("file,label\n", "no column source_repo"),
        ("file,label,source_repo\ncat/a.jpg,cat,x\n", "no row for dog/b.jpg"),
        ("file,label,source_repo\ncat/a.jpg,owl,x\ndog/b.jpg,dog,y\n", "labelled owl"),
    ],
)
def test_a_csv_that_does_not_fit_is_refused(tmp_path: Path, rows: str, sentence: str) -> None:
    _write(tmp_path, "cat/a.jpg", "dog/b.jpg")
    (tmp_path / "m.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(DatasetError, match=sentence):
        with_sources(read_examples(tmp_path), tmp_path / "m.csv")


def test_rows_of_the_csv_may_be_only_learnt_from(tmp_path: Path) -> None:
    _write(tmp_path, "cat/a.jpg", "dog/b.jpg")
    manifest = tmp_path / "m.csv"
    manifest.write_text(
        "file,label,source_repo,judged\ncat/a.jpg,cat,drawn,no\ndog/b.jpg,dog,z,yes\n", encoding="utf-8"
    )
    assert [each.judged for each in with_sources(read_examples(tmp_path), manifest)] == [False, True]


def test_images_of_no_label_have_their_folder_as_source(tmp_path: Path) -> None:
    _write(tmp_path, "maps/deep/a.jpg", "maps/b.jpg", "c.jpg")
    (tmp_path / "notes.txt").write_text("no image", encoding="utf-8")
    found = [(each.name, each.source, each.label) for each in read_others(tmp_path)]
    assert found == [
        ("unclassified/c.jpg", "unclassified/c.jpg", "unclassified"),
        ("unclassified/maps/b.jpg", "unclassified/maps", "unclassified"),
        ("unclassified/maps/deep/a.jpg", "unclassified/maps", "unclassified"),
    ]


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_a_folder_without_images_of_no_label_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match="there are no images in a folder"):
        read_others(tmp_path / name)


def test_squashed_images_are_taken_evenly(tmp_path: Path) -> None:
    _write(tmp_path, *(f"{number}.jpg" for number in range(10)))
    chosen = read_squashed(tmp_path, label="photo", source="flickr", count=5)
    assert [example.file.name for example in chosen] == ["0.jpg", "2.jpg", "4.jpg", "6.jpg", "8.jpg"]
    assert {example.source for example in chosen} == {"flickr"}
    with pytest.raises(DatasetError, match="has 10 images; 11"):
        read_squashed(tmp_path, label="photo", source="flickr", count=11)


def test_no_source_is_in_two_folds_and_every_label_is_in_several() -> None:
    sizes = {"cat": [40, 12, 9, 3], "dog": [20, 20, 1], "owl": [5, 4, 4, 4, 4]}
    examples = [
        _example(label, f"{label}-{source}", number)
        for label, counts in sizes.items()
        for source, count in enumerate(counts)
        for number in range(count)
    ]
    fold_of = assign_folds(examples, count=3, seed=0)
    folds_of_source: dict[str, set[int]] = {}
    for example, fold in zip(examples, fold_of, strict=True):
        folds_of_source.setdefault(example.source, set()).add(int(fold))
    assert all(len(folds) == 1 for folds in folds_of_source.values())
    for label in sizes:
        assert len({int(fold) for e, fold in zip(examples, fold_of, strict=True) if e.label == label}) == 3


def test_a_label_of_one_source_is_split_picture_by_picture() -> None:
    examples = [_example("cat", "one", n) for n in range(9)] + [_example("dog", f"s{n}") for n in range(9)]
    fold_of = assign_folds(examples, count=3, seed=0)
    assert Counter(fold_of[:9].tolist()) == {0: 3, 1: 3, 2: 3}


def test_a_source_that_no_figure_counts_is_in_no_fold_and_never_watched() -> None:
    drawn = [replace(_example("cat", "drawn", number), judged=False) for number in range(4)]
    mixed = [replace(_example("cat", "mixed", 0), judged=False), _example("cat", "mixed", 1)]
    examples = [*drawn, *mixed, *(_example(label, f"s{n}") for label in ("cat", "dog") for n in range(4))]
    fold_of = assign_folds(examples, count=2, seed=0)
    assert (fold_of[:4] == LEARNT_IN_EVERY_FOLD).all()
    assert fold_of[4] == fold_of[5] >= 0
    assert (fold_of[6:] >= 0).all()
    learning, watched = hold_back(examples, np.arange(len(examples)), one_in=2, seed=0)
    assert set(range(4)) <= set(learning.tolist())
    assert all(examples[at].judged for at in watched)


def test_large_labels_and_large_sources_are_drawn_more_but_less_than_in_proportion() -> None:
    cats = [_example("cat", "large", n) for n in range(15)] + [_example("cat", "small")]
    shares = draw_shares([*cats, _example("dog", "only")])
    assert shares.sum() == pytest.approx(1)
    assert shares[-1] == pytest.approx(1 / 5)  # one picture against sixteen: 1 to 4
    assert shares[:15].sum() == pytest.approx(15**0.5 * shares[15])
