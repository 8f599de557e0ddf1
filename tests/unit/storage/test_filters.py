from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts import Correction, Sort
from shared.deadline import Deadline
from storage_service import beginnings, finding, label_counts, lineage
from storage_service.archive import Archive
from storage_service.database import Database, for_writing
from storage_service.new_images import image_of
from storage_service.pages import PageQuery
from storage_service.postings import Indexed
from storage_service.search import WordQuery
from storage_service.tables import Image, LabelChange, Posting
from storage_service.undoing import Undoing
from tests.unit.storage.samples import CLASSIFIER, add_rows, new_image

ALL = PageQuery(words=None, label=None, status=None, sort="newest", limit=50, after=None)


def _by(q: str = "", *, sort: Sort = "newest", **filters: object) -> PageQuery:
    return replace(ALL, words=WordQuery(q) if q else None, sort=sort, **filters)  # type: ignore[arg-type]


async def _found(database: Database, query: PageQuery) -> list[str]:
    """Return the names on all pages of a query."""
    names: list[str] = []
    while True:
        async with database.reading() as images:
            page, cursor = await images.page(query)
        names += [image.filename for image in page]
        if cursor is None:
            return names
        query = replace(query, after=cursor)


async def _index_agrees(engine: AsyncEngine, database: Database) -> bool:
    """Say whether the postings and the counts are what the rows of the images make them."""
    async with database.reading() as images:
        rows, _ = await images.page(ALL)
        counts = {count.label: count.count for count in await images.label_counts()}
    async with engine.connect() as connection:
        rows_there = await connection.execute(select(Posting.word, Posting.seq, Posting.relevance))
        postings = {(word, seq, relevance) for word, seq, relevance in rows_there}
    expected = {
        (word, image.seq, relevance) for image in rows for word, relevance in Indexed.of(image).postings().items()
    }
    labels = [image.label for image in rows]
    return postings == expected and counts == {label: labels.count(label) for label in labels}


@pytest.fixture
async def album(database: Database) -> Database:
    await add_rows(
        database,
        [
            new_image(b"1", filename="1.jpg", caption="a black dog and a brown cat", confidence=0.9),
            new_image(b"2", filename="2.jpg", caption="a black cat and a brown dog", confidence=0.4),
            new_image(b"3", filename="3.jpg", caption="dogs are black", label="meme", confidence=0.6),
            new_image(b"4", filename="4.jpg", caption=None, label=None),
            new_image(b"5", filename="5.jpg", caption="nothing black", label="meme", confidence=0.8),
        ],
    )
    async with database.writing() as images:
        (last, *_), _ = await images.page(ALL)
        corrected = await images.get_locked(last.id)
        corrected.analyses.extend(lineage.corrected(Correction(label="photo", caption="a black dog")))
        lineage.refresh(corrected)
    return database


async def test_words_in_quotes_stand_side_by_side(album: Database) -> None:
    assert await _found(album, _by('"black dog"')) == ["5.jpg", "1.jpg"]
    assert await _found(album, _by('"black dog" cat')) == ["1.jpg"]
    assert await _found(album, _by('cat "brown dog"')) == ["2.jpg"]
    assert await _found(album, _by('"dog"')) == ["5.jpg", "2.jpg", "1.jpg"]
    assert await _found(album, _by('"black dog')) == ["5.jpg", "3.jpg", "2.jpg", "1.jpg"]
    assert await _found(album, _by('"cat photo"')) == []


async def test_filters_narrow_every_order(album: Database) -> None:
    for sort in ("newest", "uncertain"):
        found = {
            "label": sorted(await _found(album, _by(label="photo", sort=sort))),
            "status": sorted(await _found(album, _by(status="pending", sort=sort))),
            "person": sorted(await _found(album, _by(source="person", sort=sort))),
            "model": sorted(await _found(album, _by(source="model", sort=sort))),
            "sure": sorted(await _found(album, _by(min_confidence=0.6, sort=sort))),
            "unsure": sorted(await _found(album, _by(max_confidence=0.6, sort=sort))),
            "words, too": sorted(await _found(album, _by("dog", source="model", label="photo", sort=sort))),
        }
        assert found == {
            "label": ["1.jpg", "2.jpg", "5.jpg"],
            "status": ["4.jpg"],
            "person": ["5.jpg"],
            "model": ["1.jpg", "2.jpg", "3.jpg", "4.jpg"],
            "sure": ["1.jpg", "3.jpg"],
            "unsure": ["2.jpg", "3.jpg"],
            "words, too": ["1.jpg", "2.jpg"],
        }, sort


async def test_times_of_upload_bound_what_is_found(album: Database) -> None:
    async with album.writing() as images:
        page, _ = await images.page(ALL)
        newest = max(image.created_at for image in page)
        for age, image in enumerate(page):
            image.created_at = newest - timedelta(days=age)

    since = _by(created_after=newest - timedelta(days=3), created_before=newest - timedelta(days=1))
    assert await _found(album, since) == ["3.jpg", "2.jpg"]
    assert await _found(album, replace(since, limit=1)) == ["3.jpg", "2.jpg"]
    assert await _found(album, replace(since, words=WordQuery("cat"))) == ["2.jpg"]


@pytest.mark.parametrize("sort", ["newest", "relevance", "uncertain"])
@pytest.mark.parametrize("rare", [0, 4000])
async def test_a_beginning_of_too_many_words_finds_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch, sort: Sort, rare: int
) -> None:
    await add_rows(database, [new_image(b"%d" % n, filename=f"s{n}.jpg", caption=f"s {n % 7} sky") for n in range(12)])
    by_words = await _found(database, _by("s", sort=sort, limit=5))

    monkeypatch.setattr(beginnings, "MOST_WORDS", 3)
    monkeypatch.setattr(beginnings, "MOST_POSTINGS", rare)
    monkeypatch.setattr(finding, "FIRST_STRIDE", 2)

    assert len(by_words) == 12
    assert await _found(database, _by("s", sort=sort, limit=5)) == by_words


@pytest.mark.parametrize("sort", ["newest", "relevance"])
async def test_a_walk_whose_time_is_over_goes_on_with_the_next_page(
    database: Database, monkeypatch: pytest.MonkeyPatch, sort: Sort
) -> None:
    words = ["dog" if n % 2 else "cat" for n in range(30)]
    words[3], words[20] = "dog cat", "cat dog"
    await add_rows(database, [new_image(b"%d" % n, filename=f"{n}.jpg", caption=words[n]) for n in range(30)])
    monkeypatch.setattr(finding, "FIRST_STRIDE", 2)
    monkeypatch.setattr(finding, "WALK_S", 0.0)

    assert sorted(await _found(database, _by('"dog" "cat"', sort=sort))) == ["20.jpg", "3.jpg"]


async def test_what_finds_images_follows_every_change(album: Database, engine: AsyncEngine) -> None:
    assert await _index_agrees(engine, album)
    async with album.writing() as images:
        page, _ = await images.page(ALL)
        await images.remove(await images.get_locked(page[0].id))
        failed = await images.get_locked(page[1].id)
        failed.failure = "too dark"
        lineage.refresh(failed)
    assert await _index_agrees(engine, album)
    assert await _found(album, _by(status="failed")) == ["4.jpg"]

    async with album.writing() as images:
        await images.work.retry([failed.seq], now=failed.created_at)

    assert await _index_agrees(engine, album)
    assert await _found(album, _by(status="pending")) == ["4.jpg"]


async def test_a_change_that_is_rolled_back_leaves_the_index_as_it_was(album: Database, engine: AsyncEngine) -> None:
    async def add_and_fail() -> None:
        async with album.writing() as images:
            await images.add(image_of(new_image(b"6"), size_bytes=1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await add_and_fail()

    assert await _index_agrees(engine, album)


async def test_folded_counts_are_the_same_counts(album: Database, engine: AsyncEngine) -> None:
    async with album.reading() as images:
        before = await images.label_counts()

    async with for_writing(engine).begin() as connection:
        await connection.run_sync(label_counts.fold)

    async with engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(LabelChange)) == 0
        assert await connection.scalar(select(func.count()).select_from(Image)) == sum(one.count for one in before)
    async with album.reading() as images:
        assert await images.label_counts() == before
    assert await _index_agrees(engine, album)


async def test_taking_back_a_models_words_is_followed(album: Database, archive: Archive, engine: AsyncEngine) -> None:
    undone = await Undoing(album, archive).undo(CLASSIFIER, deadline=Deadline.after(30))

    assert undone.images == 4
    assert await _index_agrees(engine, album)
    assert await _found(album, _by(label="unclassified")) == ["4.jpg", "3.jpg", "2.jpg", "1.jpg"]
    assert await _found(album, _by("photo")) == ["5.jpg"]


async def test_counts_and_postings_are_exact_whoever_writes_at_the_same_time(
    database: Database, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_counts, "FOLD_CHANCE", 0.5)

    async def one_writer(number: int) -> None:
        for at in range(3):
            name = f"{number}-{at}"
            label = ("photo", "meme", "scan")[(number + at) % 3]
            new = new_image(name.encode(), filename=f"{name}.jpg", label=label, caption=f"word{number} of {name}")
            async with database.writing() as images:
                image = image_of(new, size_bytes=1)
                await images.add(image)
            async with database.writing() as images:
                stored = await images.get_locked(image.id)
                stored.analyses.extend(lineage.corrected(Correction(label=("note", "chart")[at % 2])))
                lineage.refresh(stored)
            if at == 2:
                async with database.writing() as images:
                    await images.remove(await images.get_locked(image.id))

    await asyncio.gather(*(one_writer(number) for number in range(8)))

    assert await _index_agrees(engine, database)
    async with database.reading() as images:
        assert {(one.label, one.count) for one in await images.label_counts()} == {("note", 8), ("chart", 8)}
