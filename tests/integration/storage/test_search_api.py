from __future__ import annotations

import httpx
import pytest

from shared.search_questions import MAX_SEARCH_LENGTH
from tests.unit.storage.samples import PREVIEW, new_image

HOSTILE = [
    '"',
    '"""',
    '"dog" OR "1"="1',
    "%_",
    "'; DROP TABLE images; --",
    ":label:photo",
    "dog~",
    "x" * MAX_SEARCH_LENGTH,
    '"a" ' * 2_500,
    "\x00",
    "%F0%9F",
]


async def _store(storage: httpx.AsyncClient, content: bytes) -> None:
    record = new_image(content).model_dump_json()
    files = {"original": ("o", content), "preview": ("p", PREVIEW)}
    assert (await storage.post("/v1/images", data={"record": record}, files=files)).status_code == 201


@pytest.mark.parametrize("sort", ["newest", "relevance", "uncertain"])
async def test_a_search_is_data_whatever_stands_in_it(storage: httpx.AsyncClient, sort: str) -> None:
    await _store(storage, b"1")

    for q in HOSTILE:
        assert (await storage.get("/v1/images", params={"q": q, "sort": sort})).status_code == 200, q
    too_long = await storage.get("/v1/images", params={"q": "x" * (MAX_SEARCH_LENGTH + 1), "sort": sort})
    assert too_long.status_code == 422


async def test_filters_that_cannot_be_meant_are_refused(storage: httpx.AsyncClient) -> None:
    for query in (
        "source=nobody",
        "created_after=yesterday",
        "created_after=2026-01-01T00:00:00",
        "created_before=0001-01-01T00:00:00Z",
        "created_before=9999-12-31T23:59:59Z",
        "min_confidence=2",
        "max_confidence=-1",
        "min_confidence=nan",
    ):
        assert (await storage.get(f"/v1/images?{query}")).status_code == 422, query
