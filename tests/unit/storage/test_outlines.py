from __future__ import annotations

import pytest

from shared.contracts import Sort
from storage_service.cursors import Cursor
from storage_service.database import Database
from storage_service.outlines import Outline, outline_of
from storage_service.pages import PageQuery
from storage_service.search import WordQuery
from tests.unit.storage.samples import add_rows, new_image

MANY = 23
STEP = 5


@pytest.fixture
async def many(database: Database) -> Database:
    """Images whose width tells their number."""
    numbered = [
        new_image(
            str(number).encode(),
            filename=f"{number}.jpg",
            label="photo" if number % 3 else "meme",
            confidence=1 / (2 + number % 5),
            caption=f"a dog {'and a cat ' * (number % 4)}number {number}",
        ).model_copy(update={"width": 1000 + number, "height": 1000})
        for number in range(MANY)
    ]
    await add_rows(database, numbered)
    return database


def _query(sort: Sort, *, limit: int, after: Cursor | None = None, label: str | None = None, q: str = "") -> PageQuery:
    return PageQuery(words=WordQuery(q) if q else None, label=label, status=None, sort=sort, limit=limit, after=after)


async def _outline(database: Database, query: PageQuery) -> Outline:
    async with database.reading() as images:
        return await outline_of(images.session, query)


@pytest.mark.parametrize("sort", ["newest", "uncertain", "relevance"])
async def test_pages_asked_for_by_its_cursors_have_the_shapes_that_it_tells(many: Database, sort: Sort) -> None:
    q = "dog" if sort == "relevance" else ""
    outline = await _outline(many, _query(sort, limit=MANY, q=q))
    begins = outline.begins(step=STEP)

    assert len(outline.shapes) == MANY
    assert outline.following is None
    assert len(begins) == 5
    for number, begin in enumerate(begins):
        async with many.reading() as images:
            page, _ = await images.page(_query(sort, limit=STEP, after=begin, q=q))
        assert [image.width / 1000 for image in page] == outline.shapes[number * STEP :][: len(page)]


async def test_it_goes_on_where_it_ended(many: Database) -> None:
    first = await _outline(many, _query("newest", limit=12))
    rest = await _outline(many, _query("newest", limit=MANY, after=first.following))

    assert first.shapes + rest.shapes == [1 + number / 1000 for number in reversed(range(MANY))]
    assert rest.begins(step=STEP)[0] == first.following
    assert rest.following is None


async def test_it_has_only_what_the_filters_find(many: Database) -> None:
    assert len((await _outline(many, _query("newest", limit=MANY, label="meme"))).shapes) == 8
    assert (await _outline(many, _query("relevance", limit=MANY, q="&"))).shapes == []
