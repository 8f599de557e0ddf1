"""What looks like the open picture, and what is almost the same, in a real browser with the real services behind."""

from __future__ import annotations

import io
import os
import random
import uuid
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageOps
from playwright.async_api import Page, expect

from tests.browser.test_page import give, open_picture, sideways
from tests.pictures import encoded


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A picture that looks like no other test's: theirs would stand before it among the similar ones."""
    chance = random.Random(uuid.uuid4().int)
    picture = Image.new("RGB", (640, 480), (20, 60, 40))
    draw = ImageDraw.Draw(picture)
    for _ in range(60):
        x, y, size = chance.randrange(640), chance.randrange(480), chance.randrange(20, 140)
        colour = (chance.randrange(256), chance.randrange(256), chance.randrange(256))
        draw.ellipse((x - size, y - size // 2, x + size, y + size // 2), fill=colour)
    file = tmp_path / "scene.jpg"
    file.write_bytes(encoded(picture, quality=90))
    return file


def brighter(photo: Path, copy: Path) -> Path:
    """Write the photo, smaller and a little brighter, in bytes that no test has given before."""
    picture = Image.open(io.BytesIO(photo.read_bytes())).convert("RGB")
    picture.thumbnail((300, 300))
    copy.write_bytes(encoded(ImageEnhance.Brightness(picture).enhance(1.1), quality=80) + os.urandom(8))
    return copy


@pytest.fixture
def brighter_photo(photo: Path, tmp_path: Path) -> Path:
    return brighter(photo, tmp_path / "brighter.jpg")


@pytest.fixture
def mirrored_photo(photo: Path, tmp_path: Path) -> Path:
    """The photo, mirrored: nothing that other tests give is as near to it as its own copy."""
    file = tmp_path / "mirrored.jpg"
    file.write_bytes(encoded(ImageOps.mirror(Image.open(photo).convert("RGB")), quality=92) + os.urandom(8))
    return file


async def test_similar_pictures_stand_below_and_lead_to_each_other(
    page: Page, live_url: str, scene: Path, new_photo: Path, tmp_path: Path
) -> None:
    await page.goto(live_url)
    first = await give(page, scene)
    await page.get_by_role("button", name="Close").click()
    unlike = await give(page, new_photo)
    await page.get_by_role("button", name="Close").click()
    last = await give(page, brighter(scene, tmp_path / "brighter.jpg"))

    await open_picture(page, last)

    similar = page.get_by_test_id("similar-picture")
    await expect(similar.first).to_be_visible()
    if shots := os.environ.get("LEGENDA_TEST_SCREENSHOTS"):
        await page.get_by_test_id("similar").scroll_into_view_if_needed()
        await page.screenshot(path=f"{shots}/similar-desktop.png")
    shown = [await similar.nth(at).get_attribute("data-picture") for at in range(await similar.count())]
    assert first in shown
    assert last not in shown
    assert unlike not in shown

    await page.locator(f"[data-testid=similar-picture][data-picture='{first}']").click()
    await expect(page.locator(f"[data-testid=similar-picture][data-picture='{last}']")).to_be_visible()
    assert f"picture={first}" in page.url


async def test_a_near_duplicate_is_kept_and_said_to_be_one(
    page: Page, live_url: str, mirrored_photo: Path, tmp_path: Path
) -> None:
    await page.goto(live_url)
    await give(page, mirrored_photo)
    await page.get_by_role("button", name="Close").click()
    last = await give(page, brighter(mirrored_photo, tmp_path / "brighter.jpg"))
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
