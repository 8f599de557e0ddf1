"""The bulk job's memory: a killed run goes on where it was, and no image is lost or done for another job."""

from __future__ import annotations

from pathlib import Path

import pytest
from obstore.store import LocalStore, MemoryStore, ObjectStore

from deploy.bulk.manifest import OtherJob, Plan, accounts, begin, keys_of, open_chunks, pass_step
from deploy.bulk.places import open_place


def _plan(**changes: object) -> Plan:
    told = {"source": "s3://photos", "caption_model": "a@1", "classifier": "b@1", "chunk_images": 3, "limit": None}
    return Plan(**(told | changes))  # type: ignore[arg-type]


@pytest.fixture
def source() -> ObjectStore:
    store = MemoryStore()
    for number in range(7):
        store.put(f"2026/photo {number}.JPG", b"picture")
    for other in ("notes.txt", ".trash/old.jpg", "2026/.hidden.png"):
        store.put(other, b"not for us")
    return store


@pytest.fixture(params=["bucket", "folder"])
def out(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return MemoryStore() if request.param == "bucket" else open_place(str(tmp_path / "out"), make=True)


def test_every_image_is_in_one_chunk_and_nothing_else_is(out: ObjectStore, source: ObjectStore) -> None:
    chunks = begin(out, source, _plan())
    listed = [key for chunk in open_chunks(out, chunks) for key in keys_of(out, chunk)]
    assert chunks == 3
    assert sorted(listed) == [f"2026/photo {number}.JPG" for number in range(7)]


def test_after_a_kill_only_what_is_not_noted_is_done(out: ObjectStore, source: ObjectStore) -> None:
    chunks = begin(out, source, _plan())
    first, *rest = open_chunks(out, chunks)
    pass_step(out, first, {"chunk": first, "images": 3})
    out.put(f"results/{rest[0]}.parquet", b"half a file")  # written, not noted
    source.put("2026/photo 7.jpg", b"came later")

    assert begin(out, source, _plan()) == chunks
    assert open_chunks(out, chunks) == rest
    assert [each["chunk"] for each in accounts(out)] == [first]
    assert open_chunks(out, chunks, step="loaded") == [first, *rest]


def test_a_listing_that_was_cut_off_is_begun_anew(out: ObjectStore, source: ObjectStore) -> None:
    out.put("keys/0000000.json", b'["only one.jpg"]')
    begin(out, source, _plan())
    assert len(keys_of(out, "0000000")) == 3


@pytest.mark.parametrize("changes", [{"caption_model": "a@2"}, {"source": "s3://other"}, {"limit": 5}])
def test_a_folder_of_another_job_is_left_alone(
    out: ObjectStore, source: ObjectStore, changes: dict[str, object]
) -> None:
    begin(out, source, _plan())
    with pytest.raises(OtherJob, match=next(iter(changes))):
        begin(out, source, _plan(**changes))


def test_a_limit_takes_the_first_images_and_an_empty_source_has_no_chunk(source: ObjectStore) -> None:
    out = MemoryStore()
    chunks = begin(out, source, _plan(limit=4))
    assert [len(keys_of(out, chunk)) for chunk in open_chunks(out, chunks)] == [3, 1]
    assert begin(MemoryStore(), MemoryStore(), _plan()) == 0


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        open_place(str(tmp_path / "nowhere"))
    assert isinstance(open_place(str(tmp_path)), LocalStore)
