from __future__ import annotations

import errno
import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.app import StartupError
from storage_service.errors import ImageFileMissing, StorageUnavailable
from storage_service.image_store import ImageStore, open_store
from tests.unit.storage.samples import files_below


class BreakingOff(io.BytesIO):
    """A body that ends in an error."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().read(3)


def test_a_written_file_can_be_read(store: ImageStore, folder: Path) -> None:
    store.write("photo/dog.jpg", io.BytesIO(b"woof"))

    assert store.read("photo/dog.jpg") == b"woof"
    assert files_below(folder) == ["photo/dog.jpg"]


def test_a_file_that_cannot_be_written_whole_is_not_there(store: ImageStore, folder: Path) -> None:
    with pytest.raises(StorageUnavailable, match="No space left"):
        store.write("photo/dog.jpg", BreakingOff(b"woof woof"))

    assert files_below(folder) == []


def test_a_linked_file_has_both_paths(store: ImageStore, folder: Path) -> None:
    store.write("photo/dog.jpg", io.BytesIO(b"woof"))

    store.link("photo/dog.jpg", "meme/dog.jpg")
    store.link("photo/dog.jpg", "meme/dog.jpg")

    assert files_below(folder) == ["meme/dog.jpg", "photo/dog.jpg"]


def test_where_links_are_not_known_the_file_is_copied(
    store: ImageStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    store.write("photo/dog.jpg", io.BytesIO(b"woof"))
    monkeypatch.setattr(os, "link", refuse)

    store.link("photo/dog.jpg", "meme/dog.jpg")

    assert store.read("meme/dog.jpg") == b"woof"
    assert files_below(folder) == ["meme/dog.jpg", "photo/dog.jpg"]


def test_a_label_without_images_has_no_folder(store: ImageStore, folder: Path) -> None:
    store.write("photo/dog.jpg", io.BytesIO(b"woof"))
    store.write("photo/cat.jpg", io.BytesIO(b"meow"))

    store.remove("photo/dog.jpg")
    assert files_below(folder) == ["photo/cat.jpg"]

    store.remove("photo/cat.jpg")
    store.remove("photo/cat.jpg")
    assert not (folder / "photo").exists()
    assert (folder / ".previews").exists() is False


def test_writing_and_removing_at_once_disturb_each_other_not(store: ImageStore, folder: Path) -> None:
    def write_and_remove(number: int) -> None:
        for _ in range(30):
            store.write(f"photo/{number}.jpg", io.BytesIO(b"woof"))
            store.remove(f"photo/{number}.jpg")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write_and_remove, range(4)))

    assert files_below(folder) == []


def test_a_missing_file_is_named(store: ImageStore) -> None:
    with pytest.raises(ImageFileMissing, match=r"photo/dog\.jpg"):
        store.read("photo/dog.jpg")
    with pytest.raises(ImageFileMissing, match=r"photo/dog\.jpg"):
        store.link("photo/dog.jpg", "meme/dog.jpg")


def test_the_check_fails_when_the_folder_is_gone(store: ImageStore, folder: Path) -> None:
    store.check()
    folder.rename(folder.with_name("elsewhere"))

    with pytest.raises(StorageUnavailable):
        store.check()


def test_a_store_url_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    open_store("file://.data/my%20store")

    assert (tmp_path / ".data/my store").is_dir()


@pytest.mark.parametrize("url", ["s3://bucket/images", "/var/images", "file://", "file:images", ""])
def test_other_stores_are_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(StartupError, match="STORAGE_STORE_URL must be file:// and a folder, not"):
        open_store(url)


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("not a folder")

    with pytest.raises(StartupError, match="cannot be used"):
        open_store(f"file://{tmp_path}/store")
