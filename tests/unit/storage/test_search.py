from __future__ import annotations

import pytest

from shared.contracts import Sort
from storage_service.database import Database
from storage_service.pages import PageQuery
from storage_service.search import WordQuery, distinct_words, search_text
from tests.unit.storage.samples import add_rows, new_image

LIBRARY = {
    "IMG_1234.jpg": ("photo", "a brown dog runs on the grass"),
    "beach.png": ("photo", "two children play in the sand"),
    "Zürich-See.jpg": ("photo", "a boat on a lake"),
    "страница.png": ("scan", "a page of text"),
    "犬の写真.png": ("photo", "un chien, s'il vous plaît"),
    "funny.gif": ("meme", 'a dog says: 100% & "more" * (C++)'),
    "o'neil.jpg": ("night_sky", "the moon"),
}


@pytest.fixture
async def library(database: Database) -> Database:
    await add_rows(
        database,
        (
            new_image(filename.encode(), filename=filename, label=label, caption=caption)
            for filename, (label, caption) in LIBRARY.items()
        ),
    )
    return database


async def _found(database: Database, q: str, *, sort: Sort = "newest") -> list[str]:
    query = PageQuery(words=WordQuery(q), label=None, status=None, sort=sort, limit=50, after=None)
    async with database.reading() as images:
        page, _ = await images.page(query)
    return [image.filename for image in page]


FOUND = {
    "dog": ["funny.gif", "IMG_1234.jpg"],
    "DOG Grass": ["IMG_1234.jpg"],
    "dog sand": [],
    "gra": ["IMG_1234.jpg"],
    "gra dog": [],
    "the": ["o'neil.jpg", "beach.png", "IMG_1234.jpg"],
    "on the": ["IMG_1234.jpg"],
    "a": ["funny.gif", "страница.png", "Zürich-See.jpg", "IMG_1234.jpg"],
    "1234": ["IMG_1234.jpg"],
    "IMG_1234.jpg": ["IMG_1234.jpg"],
    "photo": ["犬の写真.png", "Zürich-See.jpg", "beach.png", "IMG_1234.jpg"],
    "night_sky": ["o'neil.jpg"],
    "sky": ["o'neil.jpg"],
    "o'neil": ["o'neil.jpg"],
    "zurich": ["Zürich-See.jpg"],
    "ZÜRICH": ["Zürich-See.jpg"],
    "plait": ["犬の写真.png"],
    "Страни": ["страница.png"],
    "写真": ["犬の写真.png"],
    "真": ["犬の写真.png"],
    "100%": ["funny.gif"],
    "c++": ["funny.gif", "犬の写真.png", "beach.png"],
}

HOSTILE = [
    '"',
    '"dog',
    "dog*",
    "*",
    "-dog",
    "+dog",
    "~dog <dog >dog @2",
    "NOT dog",
    "dog AND",
    "OR",
    "NEAR(dog grass, 2)",
    "search_words:dog",
    "dog)",
    "((((",
    "%_",
    "%",
    "_",
    "\\",
    "';DROP TABLE images;--",
    "\x00dog",
    "🐕",
    ":q %(q)s {q}",
    "dog " * 3_000,
    " ".join(f"word{n}" for n in range(2_000)),
    "x" * 10_000,
    "漢" * 10_000,
]


async def test_all_words_are_found_in_captions_names_and_labels(library: Database) -> None:
    by_query = {q: sorted(await _found(library, q)) for q in FOUND}
    by_relevance = {q: sorted(await _found(library, q, sort="relevance")) for q in FOUND}

    assert by_query == by_relevance == {q: sorted(found) for q, found in FOUND.items()}


async def test_a_query_is_data_never_syntax(library: Database) -> None:
    for q in HOSTILE:
        newest = await _found(library, q)

        assert set(newest) <= {"IMG_1234.jpg", "funny.gif"}, q
        assert sorted(await _found(library, q, sort="relevance")) == sorted(newest), q


async def test_whole_words_in_few_others_are_most_relevant(library: Database) -> None:
    assert await _found(library, "photo", sort="relevance") == [
        "Zürich-See.jpg",
        "beach.png",
        "IMG_1234.jpg",
        "犬の写真.png",
    ]
    assert await _found(library, "s", sort="relevance") == [
        "犬の写真.png",
        "o'neil.jpg",
        "страница.png",
        "Zürich-See.jpg",
        "funny.gif",
        "beach.png",
    ]


def test_words_are_kept_in_ascii_in_their_order_and_counted_once() -> None:
    text, count = search_text("A dog, a DOG!", "Ünïcode", "я" * 100, "x" * 100)

    assert text.startswith("a dog a dog | unicode | _44f__44f_")
    assert count == len(distinct_words(text)) == 5
    assert all(word.isascii() and len(word) <= 80 for word in distinct_words(text))
