"""The page speaks the browser's language, until somebody chooses another; the tests hold on to no German but here."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from playwright.async_api import Browser, Page, Route, async_playwright, expect

from tests.browser.conftest import QUIET
from tests.browser.test_page import give, open_picture, sideways


async def test_it_speaks_german_to_a_german_browser_and_english_to_others(chromium: str, live_url: str) -> None:
    async with async_playwright() as playwright:
        browser: Browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        for locale, language, words in (("de-AT", "de", "Hinzufügen"), ("fr-FR", "en", "Add")):
            page = await browser.new_page(locale=locale)
            await page.goto(live_url)
            await expect(page.locator("html")).to_have_attribute("lang", language)
            await expect(page.locator(".add .add-word")).to_have_text(words)
            await page.close()
        await browser.close()


async def test_a_chosen_language_is_remembered_and_holds_for_every_room(
    page: Page, live_url: str, new_photo: Path
) -> None:
    await page.goto(live_url)
    image_id = await give(page, new_photo)
    await page.get_by_test_id("language-switch").click()
    await expect(page.get_by_test_id("summary")).to_contain_text(re.compile(r"^\d+ Bild"))
    await expect(page.get_by_test_id("upload-summary")).to_have_text("1 Bild beschrieben")

    await page.reload()
    await open_picture(page, image_id)
    await expect(page.get_by_test_id("why-this-label")).to_have_text("Warum dieses Label")
    await page.get_by_test_id("history").click()
    await expect(page.get_by_test_id("history-entries")).to_contain_text("Bildunterschrift von")
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await sideways(page, "[data-testid=detail]") == 0
    await page.goto(f"{live_url}/?room=review")
    await expect(page.get_by_test_id("review-count")).to_have_text("0 Bilder entschieden")
    await page.goto(f"{live_url}/status")
    await expect(page.get_by_test_id("verdict")).to_have_text("Alles in Ordnung.")
    assert await sideways(page, "html") == 0


async def test_what_is_refused_is_said_in_german_too(page: Page, live_url: str, tmp_path: Path) -> None:
    await page.goto(live_url)
    await page.get_by_test_id("language-switch").click()
    letter = tmp_path / "brief.jpg"
    letter.write_text("Liebe Ada, das ist kein Bild.")
    await page.locator("input[type=file]").first.set_input_files(letter)
    await expect(page.get_by_test_id("upload-error")).to_contain_text("kein Bild, das Legenda liest")


async def hold_back(route: Route) -> None:
    await asyncio.sleep(0.5)
    await route.continue_()


async def test_a_history_tells_who_said_what_and_an_alternative_can_be_chosen(
    page: Page, live_url: str, new_photo: Path
) -> None:
    await page.goto(live_url)
    await open_picture(page, await give(page, new_photo))
    other = page.get_by_test_id("other-caption").first
    chosen = await other.inner_text()
    await page.route("**/api/v1/images/*", hold_back)  # who asks for the history at once is told of it all the same
    await other.click()
    await expect(page.get_by_test_id("detail-caption")).to_have_text(chosen)
    await expect(page.get_by_test_id("detail-caption-source")).to_have_text("said by you")

    await page.get_by_test_id("history").click()
    entries = page.get_by_test_id("history-entries").locator("li[data-kind=caption]")
    await expect(entries.first).to_contain_text(chosen)
    await expect(entries.first).to_contain_text(re.compile("caption by you.*now"))
    await expect(entries.last).to_contain_text("caption by attention")
