"""How quick the page is on this machine: bounds that people feel.

Other work on the machine only ever makes a visit slower, so times are those of the best of a few visits.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import async_playwright

from tests.browser.conftest import QUIET
from tests.browser.large_gallery import large_gallery
from tests.browser.quickness import Visit, visit

ROWS = 10_000
VISITS = 3


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with large_gallery(tmp_path_factory.mktemp("quick-gallery"), ROWS) as url:
        yield url


async def test_it_paints_soon_stays_where_it_is_and_scrolls_without_a_long_task(chromium: str, gallery: str) -> None:
    visits: list[Visit] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        for _ in range(VISITS):
            visits.append(await visit(browser, gallery))
        await browser.close()

    assert min(each.first_paint_ms for each in visits) < 1000
    assert max(each.shifted for each in visits) < 0.05
    assert max(each.script_bytes for each in visits) < 100_000
    assert min(each.longest_task_ms for each in visits) < 50
    assert max(each.in_the_page for each in visits) < 2500
