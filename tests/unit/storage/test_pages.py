from __future__ import annotations

import pytest

from shared.contracts import Correction, NewImage, Sort
from storage_service import lineage
from storage_service.cursors import Cursor
from storage_service.database import Database
from storage_service.pages import PageQuery
from storage_service.search import WordQuery
from storage_service.tables import Image
from tests.unit.storage.samples import add_rows, new_image

MANY = 23

_Page = tuple[list[Image], Cursor | None]


def _numbered(number: int) -> NewImage:
    return new_image(
        str(number).encode(),
        filename=f"{number}.jpg",
        label="photo" if number % 3 else "meme",
        confidence=1 / (2 + number % 5),
        caption=f"a dog {'and a cat ' * (number % 4)}number {number}" if number % 2 else None,
    )


@pytest.fixture
async def many(database: Database) -> Database:
    await add_rows(database, map(_numbered, range(MANY)))
    return database


async def _page(database: Database, *, sort: Sort = "newest", q: str = "", limit: int = 5, **more: object) -> _Page:
    words = WordQuery(q) if q else None
    query = PageQuery(words=words, sort=sort, limit=limit, **{"label": None, "status": None, "after": None, **more})  # type: ignore[arg-type]
    async with database.reading() as images:
        page, cursor = await images.page(query)
    return list(page), cursor


async def _all_pages(database: Database, **query: object) -> list[Image]:
    found: list[Image] = []
    after = None
    while True:
        page, after = await _page(database, after=after, **query)  # type: ignore[arg-type]
        found += page
        if after is None:
            return found


@pytest.mark.parametrize("sort", ["newest", "uncertain"])
@pytest.mark.parametrize("limit", [1, MANY])
async def test_all_pages_together_have_each_image_once(many: Database, sort: Sort, limit: int) -> None:
    found = await _all_pages(many, sort=sort, limit=limit)

    assert len(found) == MANY
    assert len({image.id for image in found}) == MANY


async def test_the_newest_come_first(many: Database) -> None:
    found = await _all_pages(many, sort="newest")

    assert [image.filename for image in found] == [f"{number}.jpg" for number in reversed(range(MANY))]


async def test_the_least_certain_labels_come_first_and_a_persons_last(many: Database) -> None:
    (least, *_), _ = await _page(many, sort="uncertain")
    async with many.writing() as images:
        corrected = await images.get_locked(least.id)
        corrected.analyses.extend(lineage.corrected(Correction(label="photo")))
        lineage.refresh(corrected)

    found = await _all_pages(many, sort="uncertain")

    confidences = [image.certainty for image in found[:-1]]
    assert confidences == sorted(confidences)
    assert found[-1].id == least.id


@pytest.mark.parametrize("sort", ["newest", "relevance", "uncertain"])
async def test_found_images_are_paged_without_loss(many: Database, sort: Sort) -> None:
    for q in ("dog", "cat dog", "jp"):
        at_once = await _all_pages(many, sort=sort, q=q, limit=200)
        by_fours = await _all_pages(many, sort=sort, q=q, limit=4)

        assert at_once
        assert [image.id for image in by_fours] == [image.id for image in at_once]


@pytest.mark.parametrize("sort", ["newest", "relevance"])
async def test_uploads_between_two_pages_make_none_lose_or_repeat_an_image(many: Database, sort: Sort) -> None:
    expected = {image.id for image in await _all_pages(many, sort=sort, q="dog")}
    seen, after = await _page(many, sort=sort, q="dog")
    number = MANY
    while after is not None:
        await add_rows(many, [_numbered(number)])
        number += 1
        page, after = await _page(many, sort=sort, q="dog", after=after)
        seen += page

    ids = [image.id for image in seen]
    assert len(ids) == len(set(ids))
    assert expected <= set(ids)


async def test_a_page_goes_on_though_its_last_image_was_deleted(many: Database) -> None:
    expected = [image.id for image in await _all_pages(many, sort="relevance", q="dog")]
    first, after = await _page(many, sort="relevance", q="dog")
    async with many.writing() as images:
        await images.remove(await images.get_locked(first[-1].id))

    rest, _ = await _page(many, sort="relevance", q="dog", after=after, limit=200)
    assert [image.id for image in rest] == expected[5:]


async def test_filters_narrow_every_order(many: Database) -> None:
    sorts: list[Sort] = ["newest", "uncertain", "relevance"]
    for sort in sorts:
        found = await _all_pages(many, sort=sort, q="jpg", label="meme", status="pending")
        assert sorted(int(image.filename.split(".")[0]) for image in found) == [0, 6, 12, 18]


async def test_labels_sum_to_all_images(many: Database) -> None:
    await add_rows(many, [new_image(b"nothing known", label=None, caption=None)])

    async with many.reading() as images:
        counts = await images.label_counts()

    assert [(count.label, count.count) for count in counts] == [("photo", 15), ("meme", 8), ("unclassified", 1)]
