"""A gallery of ten thousand pictures in a real browser: what is in the page, what the scroll bar says, what one finds.

`python -m tests.bench.scrolling` does the same with a hundred thousand.
"""

from __future__ import annotations

import asyncio
import io
import re
import zipfile
from collections.abc import Iterator

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.large_gallery import large_gallery
from tests.browser.test_page import sideways

ROWS = 10_000
MOST_IN_THE_PAGE = 150
LEAST_HEIGHT_PX = 300_000
WIDTHS = pytest.mark.parametrize("width", [1280, 390])


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with large_gallery(tmp_path_factory.mktemp("large-gallery"), ROWS) as url:
        yield url


async def _height(page: Page) -> int:
    return int(await page.evaluate("document.documentElement.scrollHeight"))


def _link(page: Page, at: int) -> Locator:
    """The picture at a place among all."""
    return page.locator(f"li[data-at='{at}'] a")


async def _outlined(page: Page, url: str, width: int = 1280) -> None:
    """Open the gallery, and wait until the places of all pictures are known."""
    await page.set_viewport_size({"width": width, "height": 860})
    async with page.expect_response(lambda response: "/outline" in response.url):
        await page.goto(url)
    await expect(page.get_by_test_id("picture").first).to_be_visible()
    await expect(page.get_by_test_id("summary")).to_have_text(re.compile("^(10,000|9,99[0-9]) pictures"))
    while await _height(page) < LEAST_HEIGHT_PX:
        await asyncio.sleep(0.05)


@WIDTHS
async def test_only_what_is_looked_at_is_in_the_page_wherever_one_scrolls_to(
    page: Page, gallery: str, width: int
) -> None:
    await _outlined(page, gallery, width)
    height = await _height(page)
    tiles, skeletons = page.get_by_test_id("picture"), page.locator(".skeleton")

    for part in (0.5, 1, 0.25, 0):
        await page.evaluate("top => scrollTo(0, top)", height * part)
        near = _link(page, min(int(part * ROWS), ROWS - 1))
        await expect(near).to_be_attached()  # rows differ, so it may stand a screen or two away
        await expect(skeletons).to_have_count(0)
        assert abs(await near.evaluate("link => link.getBoundingClientRect().top")) < 3 * 860
        assert await tiles.count() < MOST_IN_THE_PAGE
        assert await _height(page) == height
    assert await sideways(page, "html") == 0


async def test_nothing_that_is_looked_at_moves_while_pictures_come(page: Page, gallery: str) -> None:
    await page.add_init_script(
        "window.shifts = []; new PerformanceObserver(list => shifts.push(...list.getEntries().map(one => one.value)))"
        ".observe({ type: 'layout-shift', buffered: true })"
    )
    await _outlined(page, gallery)
    for top in (3_000, 90_000, 200_000, 0):
        await page.evaluate("top => scrollTo(0, top)", top)
        await expect(page.locator(".skeleton")).to_have_count(0)

    assert sum(await page.evaluate("shifts")) < 0.05


async def test_the_arrows_walk_the_wall_and_the_focus_stays_with_its_picture(page: Page, gallery: str) -> None:
    await _outlined(page, gallery)
    at = "() => +document.activeElement.closest('li')?.dataset.at"
    await page.get_by_test_id("picture").first.focus()

    await page.keyboard.press("ArrowRight")
    assert await page.evaluate(at) == 1
    await page.keyboard.press("ArrowDown")
    under = await page.evaluate(at)
    assert 3 <= under <= 12
    await page.keyboard.press("ArrowUp")
    assert await page.evaluate(at) in {0, 1, 2}
    await page.keyboard.press("End")
    await expect(_link(page, 9999)).to_be_focused()

    await page.evaluate("scrollTo(0, 0)")
    await expect(page.locator("li[data-at='0']")).to_be_visible()
    assert await page.evaluate(at) == ROWS - 1
    await page.keyboard.press("ArrowLeft")
    await expect(_link(page, 9998)).to_be_focused()
    await expect(page.locator("li[data-at='9998']")).to_be_in_viewport()

    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("detail-place")).to_have_text("9,999 of 10,000")
    await page.keyboard.press("ArrowLeft")
    await expect(page.get_by_test_id("detail-place")).to_have_text("9,998 of 10,000")
    await page.keyboard.press("Escape")
    await expect(_link(page, 9997)).to_be_focused()


@WIDTHS
async def test_words_days_sureness_and_order_stand_in_the_address_and_back_takes_them_back(
    page: Page, gallery: str, width: int
) -> None:
    await _outlined(page, gallery, width)
    summary, first = page.get_by_test_id("summary"), page.get_by_test_id("picture").first
    await page.get_by_test_id("search").press_sequentially("brown do")
    await expect(page).to_have_url(re.compile(r"q=brown\+do"))
    await expect(summary).to_contain_text("with “brown do”")
    await expect(page.locator(".line mark").first).to_have_text("brown")
    await expect(page.locator(".line mark").nth(1)).to_have_text("dog")
    await page.get_by_test_id("search").fill("")
    await expect(summary).to_have_text("10,000 pictures")

    await page.get_by_test_id("filter-toggle").click()
    filters = page.get_by_test_id("filters")
    await filters.get_by_label("From").fill("2020-01-02")
    await filters.get_by_label("Until").fill("2020-01-02")
    await expect(page).to_have_url(re.compile("from=2020-01-02&to=2020-01-02"))
    await expect(summary).to_have_text("960 pictures")
    await filters.get_by_label("Label").select_option("0-50")
    await expect(summary).to_have_text("280 pictures")
    await filters.get_by_label("Order").select_option("uncertain")
    await expect(page).to_have_url(re.compile("sure=0-50&sort=uncertain"))
    await expect(page.get_by_test_id("filter-toggle")).to_have_text("Filter · 4")
    assert await sideways(page, "html") == 0

    await expect(page.get_by_role("region", name="Pictures")).to_have_attribute("aria-busy", "false")
    await expect(summary).to_have_text("280 pictures")
    picture = await first.get_attribute("data-picture")
    await page.reload()
    await expect(first).to_have_attribute("data-picture", str(picture))
    await expect(summary).to_have_text("280 pictures")
    await page.go_back()
    await page.go_back()
    await expect(summary).to_have_text("960 pictures")
    await page.get_by_test_id("filters-clear").click()
    await expect(summary).to_have_text("10,000 pictures")


async def test_a_range_is_chosen_with_shift_and_downloaded(page: Page, gallery: str) -> None:
    await _outlined(page, gallery)
    tiles, count = page.get_by_test_id("picture"), page.get_by_test_id("selection-count")
    await tiles.nth(2).click(modifiers=["Control"])
    await tiles.nth(6).click(modifiers=["Shift"])
    await expect(count).to_have_text("5 chosen")
    await tiles.nth(4).click()
    await expect(count).to_have_text("4 chosen")

    async with page.expect_download() as downloading:
        await page.get_by_test_id("selection-download").click()
    with zipfile.ZipFile(io.BytesIO((await (await downloading.value).path()).read_bytes())) as archive:
        assert len(archive.namelist()) == 4 + 1
        assert "captions.csv" in archive.namelist()

    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("selection")).to_have_count(0)


async def test_more_than_can_be_chosen_are_refused_in_words_and_those_far_apart_are_loaded_first(
    page: Page, gallery: str
) -> None:
    await _outlined(page, gallery)
    tiles, count = page.get_by_test_id("picture"), page.get_by_test_id("selection-count")
    await tiles.first.click(modifiers=["Control"])
    await page.evaluate("scrollTo(0, document.querySelector('.wall').offsetHeight * 0.03)")
    await page.locator("li[data-at='300'] a").click(modifiers=["Shift"])
    await expect(count).to_have_text("301 chosen")
    await page.evaluate("scrollTo(0, document.querySelector('.wall').offsetHeight * 0.5)")
    await tiles.nth(40).click(modifiers=["Shift"])
    await expect(count).to_have_text("At most 500 can be chosen at once.")


async def test_a_long_press_begins_to_choose_and_a_tap_goes_on(page: Page, gallery: str) -> None:
    await _outlined(page, gallery, 390)
    touch = await page.context.new_cdp_session(page)
    box = await page.get_by_test_id("picture").first.bounding_box()
    assert box is not None
    point = [{"x": box["x"] + 60, "y": box["y"] + 60}]
    await touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": point})
    await expect(page.get_by_test_id("selection-count")).to_have_text("1 chosen")
    await touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await expect(page.get_by_test_id("selection-count")).to_have_text("1 chosen")
    await expect(page.get_by_test_id("detail")).to_have_count(0)

    await page.get_by_test_id("picture").nth(1).click()
    await expect(page.get_by_test_id("selection-count")).to_have_text("2 chosen")
    assert await sideways(page, "html") == 0


async def test_chosen_pictures_are_described_again(page: Page, gallery: str) -> None:
    await _outlined(page, gallery)
    await page.get_by_test_id("pick").nth(5).click()
    await page.get_by_test_id("selection-again").click()
    await expect(page.get_by_test_id("selection-count")).to_have_text("1 picture is being described again")


async def test_chosen_pictures_are_labelled_together_and_deleted_with_undo(page: Page, gallery: str) -> None:
    await _outlined(page, gallery)
    tiles, count = page.get_by_test_id("picture"), page.get_by_test_id("selection-count")
    ids = [await tiles.nth(at).get_attribute("data-picture") for at in range(3)]
    await tiles.first.focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Shift+ArrowRight")
    await page.keyboard.press("Shift+ArrowRight")
    await expect(count).to_have_text("3 chosen")

    await page.get_by_test_id("selection-label").click()
    await expect(page.get_by_test_id("other-label")).to_be_focused()
    await page.keyboard.type("To sort")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("selection")).to_have_count(0)
    chip = page.locator("[data-testid=label-chip][data-label=to_sort]")
    await expect(chip.locator(".count")).to_have_text("3")

    await chip.click()
    await expect(tiles).to_have_count(3)
    await tiles.first.click(modifiers=["Control"])
    await tiles.last.click(modifiers=["Shift"])
    await page.get_by_test_id("selection-delete").click()
    await expect(page.get_by_test_id("notice")).to_contain_text("3 pictures deleted.")
    await expect(tiles).to_have_count(0)
    await page.get_by_test_id("notice").get_by_role("button", name="Undo").click()
    await expect(tiles).to_have_count(3)
    assert [await tiles.nth(at).get_attribute("data-picture") for at in range(3)] == ids

    await tiles.last.click(modifiers=["Control"])
    await page.get_by_test_id("selection-delete").click()
    async with page.expect_response(lambda response: response.request.method == "DELETE" and response.ok):
        await expect(page.get_by_test_id("notice")).to_have_count(0, timeout=20_000)
    gone = await page.request.get(f"{gallery}/api/v1/images/{ids[2]}")
    assert gone.status == 404
