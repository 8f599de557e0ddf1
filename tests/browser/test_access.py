"""Every view for everyone: axe finds nothing serious in it, in both themes, both widths and both languages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.axe import find_nothing
from tests.browser.large_gallery import services_without_models
from tests.browser.test_page import give


@pytest.fixture
def without_pictures(tmp_path: Path) -> Iterator[str]:
    with services_without_models(tmp_path) as url:
        yield url


async def test_the_gallery_its_filters_and_a_selection(checked: Page, live_url: str, new_photo: Path) -> None:
    await checked.goto(live_url)
    await give(checked, new_photo)
    await find_nothing(checked)
    await checked.get_by_role("button", name="Close").click()
    await checked.get_by_test_id("filter-toggle").click()
    await checked.get_by_test_id("picture").first.focus()
    await checked.keyboard.press("Space")
    await checked.get_by_test_id("selection-label").click()
    await expect(checked.get_by_test_id("selection")).to_be_visible()
    await find_nothing(checked)


async def test_an_open_picture_with_all_that_is_told_of_it(checked: Page, live_url: str, new_photo: Path) -> None:
    await checked.goto(live_url)
    image_id = await give(checked, new_photo)
    await checked.goto(f"{live_url}/?picture={image_id}")
    await checked.get_by_test_id("where-it-looked").click()
    await checked.get_by_test_id("look-word").first.click()
    await checked.get_by_test_id("history").click()
    await expect(checked.get_by_test_id("history-entries")).to_be_visible()
    await find_nothing(checked)
    await checked.get_by_test_id("detail-caption").click()
    await find_nothing(checked)


@pytest.mark.parametrize("place", ["/?room=review", "/status", "/?q=xylophone+quokka"])
async def test_review_status_and_a_search_without_success(checked: Page, live_url: str, place: str) -> None:
    await checked.goto(live_url + place)
    ready = checked.locator("[data-testid=review-end], .asked, [data-testid=verdict], .gallery .nothing")
    await expect(ready.first).to_be_visible()
    await find_nothing(checked)


async def test_the_first_visit_in_german(checked: Page, without_pictures: str) -> None:
    await checked.goto(without_pictures)
    await checked.get_by_test_id("language-switch").last.click()
    await expect(checked.locator("html")).to_have_attribute("lang", "de")
    await expect(checked.get_by_test_id("empty")).to_contain_text("Bilder hier ablegen")
    await find_nothing(checked)
