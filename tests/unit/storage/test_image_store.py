from __future__ import annotations

import errno
import io
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.app import StartupError
from storage_service.errors import ImageFileMissing, StorageUnavailable
from storage_service.image_store import ImageStore, open_store
from tests.unit.storage.buckets import S3Server
from tests.unit.storage.samples import files_below

LARGE = os.urandom(20_000_000)

Files = Callable[[], list[str]]


class BreakingOff(io.BytesIO):
    """A body that ends in an error."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().read(3)


@pytest.fixture(params=["folder", "bucket"])
def store_url(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "folder":
        return f"file://{folder}"
    server: S3Server = request.getfixturevalue("s3_server")
    return f"s3://{server.new_bucket()}/my pictures/ü"


@pytest.fixture
def store(store_url: str, request: pytest.FixtureRequest) -> ImageStore:
    if store_url.startswith("file"):
        return open_store(store_url)
    return open_store(store_url, access=request.getfixturevalue("s3_server").access)


@pytest.fixture
def files(store: ImageStore) -> Files:
    return lambda: sorted(file.path for file in store.files())


def test_a_written_file_can_be_read(store: ImageStore, files: Files) -> None:
    store.write("photo/dög--1.jpg", io.BytesIO(b"woof"))

    assert store.read("photo/dög--1.jpg") == b"woof"
    assert files() == ["photo/dög--1.jpg"]


def test_a_large_file_is_kept_byte_by_byte(store: ImageStore, files: Files) -> None:
    store.write("photo/dog.jpg", io.BytesIO(LARGE))

    with store.open("photo/dog.jpg") as file:
        assert file.read() == LARGE
    found = store.find("photo/dog.jpg")
    assert found is not None
    assert found.size_bytes == len(LARGE)


def test_a_file_that_cannot_be_written_whole_is_not_there(store: ImageStore, files: Files) -> None:
    with pytest.raises(StorageUnavailable):
        store.write("photo/dog.jpg", BreakingOff(b"woof woof"))

    assert files() == []


def test_a_linked_file_has_both_paths(store: ImageStore, files: Files) -> None:
    store.write("photo/dog.jpg", io.BytesIO(b"woof"))

    store.link("photo/dog.jpg", "meme/dog.jpg")
    store.link("photo/dog.jpg", "meme/dog.jpg")
    store.remove("photo/dog.jpg")

    assert files() == ["meme/dog.jpg"]
    assert store.read("meme/dog.jpg") == b"woof"


def test_a_file_can_be_read_after_it_was_removed(store: ImageStore) -> None:
    store.write("photo/dog.jpg", io.BytesIO(b"woof"))

    with store.open("photo/dog.jpg") as file:
        store.remove("photo/dog.jpg")
        assert file.read() == b"woof"


def test_what_is_removed_twice_is_gone(store: ImageStore, files: Files) -> None:
    store.write("photo/dog.jpg", io.BytesIO(b"woof"))
    store.write("photo/cat.jpg", io.BytesIO(b"meow"))

    store.remove("photo/dog.jpg")
    store.remove("photo/dog.jpg")

    assert files() == ["photo/cat.jpg"]


def test_writing_and_removing_at_once_disturb_each_other_not(store: ImageStore, files: Files) -> None:
    def write_and_remove(number: int) -> None:
        for _ in range(30):
            store.write(f"photo/{number}.jpg", io.BytesIO(b"woof"))
            store.remove(f"photo/{number}.jpg")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write_and_remove, range(4)))

    assert files() == []


def test_a_missing_file_is_named(store: ImageStore) -> None:
    with pytest.raises(ImageFileMissing, match=r"photo/dog\.jpg"):
        store.read("photo/dog.jpg")
    with pytest.raises(ImageFileMissing, match=r"photo/dog\.jpg"):
        store.open("photo/dog.jpg")
    with pytest.raises(ImageFileMissing, match=r"photo/dog\.jpg"):
        store.link("photo/dog.jpg", "meme/dog.jpg")
    with pytest.raises(ImageFileMissing, match=r"photo/dog\.jpg"):
        store.set_aside("photo/dog.jpg")
    assert store.find("photo/dog.jpg") is None


def test_what_is_set_aside_is_kept_and_listed_no_more(store: ImageStore, files: Files) -> None:
    asides = []
    for content in (b"woof", b"bark"):
        store.write("photo/dog.jpg", io.BytesIO(content))
        asides.append(store.set_aside("photo/dog.jpg"))

    assert asides[0] == ".orphans/photo/dog.jpg"
    assert [store.read(aside) for aside in asides] == [b"woof", b"bark"]
    assert files() == []


def test_files_are_listed_with_size_and_time_but_not_what_file_browsers_leave(store: ImageStore) -> None:
    store.write("photo/dog.jpg", io.BytesIO(b"woof"))
    store.write(".previews/dog.jpg", io.BytesIO(b"small"))
    store.write("photo/.DS_Store", io.BytesIO(b"Finder's"))
    store.write("Thumbs.db", io.BytesIO(b"Explorer's"))

    listed = list(store.files())

    assert sorted((file.path, file.size_bytes) for file in listed) == [(".previews/dog.jpg", 5), ("photo/dog.jpg", 4)]
    assert all(abs(time.time() - file.changed_at_s) < 60 for file in listed)


def test_opening_a_store_leaves_nothing_in_it(store: ImageStore, files: Files) -> None:
    assert files() == []
    store.check()


def test_where_links_are_not_known_the_file_is_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    store = open_store(f"file://{folder}")
    store.write("photo/dog.jpg", io.BytesIO(b"woof"))
    monkeypatch.setattr(os, "link", refuse)

    store.link("photo/dog.jpg", "meme/dog.jpg")

    assert store.read("meme/dog.jpg") == b"woof"
    assert files_below(folder) == ["meme/dog.jpg", "photo/dog.jpg"]


def test_a_label_without_images_has_no_folder(folder: Path) -> None:
    store = open_store(f"file://{folder}")
    store.write("photo/dog.jpg", io.BytesIO(b"woof"))
    store.write("meme/cat.jpg", io.BytesIO(b"meow"))

    store.remove("photo/dog.jpg")
    store.set_aside("meme/cat.jpg")

    assert sorted(path.name for path in folder.iterdir()) == [".incoming", ".orphans"]


def test_the_check_fails_while_the_folder_is_away(folder: Path) -> None:
    store = open_store(f"file://{folder}")
    away = folder.with_name("elsewhere")
    folder.rename(away)

    with pytest.raises(StorageUnavailable):
        store.check()
    with pytest.raises(StorageUnavailable):
        store.find("photo/dog.jpg")
    assert not folder.exists()

    away.rename(folder)
    store.check()


def test_a_folder_that_cannot_be_made_at_the_start_is_made_when_it_can(tmp_path: Path) -> None:
    place = tmp_path / "disk"
    place.symlink_to("nowhere/yet")
    store = open_store(f"file://{place}/store")
    with pytest.raises(StorageUnavailable):
        store.write("photo/dog.jpg", io.BytesIO(b"woof"))

    (tmp_path / "nowhere/yet").mkdir(parents=True)
    store.check()

    store.write("photo/dog.jpg", io.BytesIO(b"woof"))
    assert (tmp_path / "nowhere/yet/store/photo/dog.jpg").is_file()


def test_a_bucket_that_does_not_answer_is_given_up_in_time(s3_server: S3Server) -> None:
    store = open_store(f"s3://{s3_server.new_bucket()}", access=s3_server.access)
    store.write("photo/dog.jpg", io.BytesIO(b"woof"))

    s3_server.stall()
    with pytest.raises(StorageUnavailable):
        store.read("photo/dog.jpg")
    with pytest.raises(StorageUnavailable):
        store.write("photo/cat.jpg", io.BytesIO(b"meow"))

    s3_server.go_on()
    assert store.read("photo/dog.jpg") == b"woof"


def test_a_bucket_that_refuses_is_told_by_s3s_own_word_and_used_again_when_it_admits(
    s3_server: S3Server, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(f"s3://{s3_server.new_bucket()}", access=s3_server.access)
    store.write("photo/dog.jpg", io.BytesIO(b"woof"))

    s3_server.refuse()
    for refused in (
        store.check,
        lambda: store.read("photo/dog.jpg"),
        lambda: store.write("photo/cat.jpg", io.BytesIO(b"meow")),
        lambda: store.find("photo/dog.jpg"),
        lambda: store.remove("photo/dog.jpg"),
        lambda: store.link("photo/dog.jpg", "meme/dog.jpg"),
        lambda: list(store.files()),
    ):
        with pytest.raises(StorageUnavailable, match="does not take or give files"):
            refused()
    assert "s3cret" not in caplog.text

    s3_server.admit()
    store.check()
    assert store.read("photo/dog.jpg") == b"woof"
    assert [file.path for file in store.files()] == ["photo/dog.jpg"]


def test_a_bucket_that_is_not_there_has_lost_no_file_and_is_used_when_it_comes(s3_server: S3Server) -> None:
    store = open_store("s3://not-yet-there", access=s3_server.access)
    for refused in (
        store.check,
        lambda: store.read("photo/dog.jpg"),
        lambda: store.find("photo/dog.jpg"),
        lambda: store.remove("photo/dog.jpg"),
        lambda: list(store.files()),
    ):
        with pytest.raises(StorageUnavailable, match="NoSuchBucket"):
            refused()

    s3_server.make("not-yet-there")
    store.check()
    store.write("photo/dog.jpg", io.BytesIO(b"woof"))
    store.remove("photo/dog.jpg")
    s3_server.drop("not-yet-there")


def test_the_secret_key_is_not_shown(s3_server: S3Server) -> None:
    assert "s3cret" not in repr(s3_server.access)


def test_a_store_url_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    open_store("file://.data/my%20store")

    assert (tmp_path / ".data/my store").is_dir()


@pytest.mark.parametrize(
    "url", ["ftp://host/images", "/var/images", "file://", "file:images", "s3://", "s3:///images", ""]
)
def test_other_stores_are_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(
        StartupError, match="STORAGE_STORE_URL must be file:// and a folder, or s3:// and a bucket, not"
    ):
        open_store(url)


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("not a folder")

    with pytest.raises(StartupError, match="cannot be used"):
        open_store(f"file://{tmp_path}/store")
