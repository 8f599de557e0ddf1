"""What looks like the open picture, and what is almost the same, in a real browser with the real services behind."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance
from playwright.async_api import Page, expect

from tests.browser.test_page import give, open_picture, sideways
from tests.pictures import drawn_picture, encoded


@pytest.fixture
def brighter_photo(photo: Path, tmp_path: Path) -> Path:
    """The photo, smaller and a little brighter; no test has given it before."""
    picture = Image.open(io.BytesIO(photo.read_bytes())).convert("RGB")
    picture.thumbnail((300, 300))
    copy = tmp_path / "brighter.jpg"
    copy.write_bytes(encoded(ImageEnhance.Brightness(picture).enhance(1.1), quality=80) + os.urandom(8))
    return copy


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    file = tmp_path / "drawing.png"
    file.write_bytes(encoded(drawn_picture(320, 240, seed=3), "PNG") + os.urandom(8))
    return file


async def test_similar_pictures_stand_below_and_lead_to_each_other(
    page: Page, live_url: str, new_photo: Path, brighter_photo: Path, drawing: Path
) -> None:
    await page.goto(live_url)
    first = await give(page, new_photo)
    await page.get_by_role("button", name="Close").click()
    unlike = await give(page, drawing)
    await page.get_by_role("button", name="Close").click()
    last = await give(page, brighter_photo)

    await open_picture(page, last)

    similar = page.get_by_test_id("similar-picture")
    await expect(similar.first).to_be_visible()
    if shots := os.environ.get("LEGENDA_TEST_SCREENSHOTS"):
        await page.get_by_test_id("similar").scroll_into_view_if_needed()
        await page.screenshot(path=f"{shots}/similar-desktop.png")
    shown = [await similar.nth(at).get_attribute("data-picture") for at in range(await similar.count())]
    assert shown[0] == first
    assert last not in shown
    assert unlike not in shown

    await page.locator(f"[data-testid=similar-picture][data-picture='{first}']").click()
    await expect(page.locator(f"[data-testid=similar-picture][data-picture='{last}']")).to_be_visible()
    assert f"picture={first}" in page.url


async def test_a_near_duplicate_is_kept_and_said_to_be_one(
    page: Page, live_url: str, new_photo: Path, brighter_photo: Path
) -> None:
    await page.goto(live_url)
    await give(page, new_photo)
    await page.get_by_role("button", name="Close").click()
    last = await give(page, brighter_photo)
    await expect(page.get_by_test_id("upload-near-duplicate")).to_be_visible()

    await open_picture(page, last)
    twin = page.get_by_test_id("near-duplicate")
    await expect(twin).to_contain_text("Almost the same")
    other = await twin.get_by_role("link").get_attribute("data-picture")
    await twin.get_by_role("link").click()

    assert other not in {None, last}
    assert f"picture={other}" in page.url
    await expect(page.locator(f"[data-testid=similar-picture][data-picture='{last}']")).to_be_visible()


async def test_similar_pictures_fit_on_a_phone(
    page: Page, live_url: str, new_photo: Path, brighter_photo: Path
) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.goto(live_url)
    await give(page, new_photo)
    await page.get_by_role("button", name="Close").click()
    last = await give(page, brighter_photo)
    await page.get_by_role("button", name="Close").click()

    await open_picture(page, last)
    await page.get_by_test_id("similar").scroll_into_view_if_needed()
    if shots := os.environ.get("LEGENDA_TEST_SCREENSHOTS"):
        await page.screenshot(path=f"{shots}/similar-phone.png")
    assert await sideways(page, "[data-testid=detail]") == 0
