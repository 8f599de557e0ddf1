"""The page, as a person uses it: in a real browser, with the real services behind it."""

from __future__ import annotations

import asyncio
import hashlib
import re
import uuid
import zipfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import ConsoleMessage, Page, Request, Response, expect

DESCRIBED_MS = 60_000
QUIET_S = 3

PRESS_ESCAPE_AT_ONCE = """([opener, opened]) => new Promise((resolve) => {
    new MutationObserver((_, observer) => {
        if (!document.querySelector(opened)) return;
        observer.disconnect();
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
        resolve();
    }).observe(document.body, { childList: true, subtree: true });
    document.querySelector(opener).click();
})"""
"""Opens something, and presses Escape before the browser has drawn it."""


async def give(page: Page, file: Path) -> str:
    """Give the page a picture through its file input; return its id once it is described."""
    await page.locator("input[type=file]").first.set_input_files(file)
    await expect(page.get_by_test_id("upload-caption").first).to_be_visible(timeout=DESCRIBED_MS)
    address = await page.get_by_test_id("upload-result").first.get_attribute("href")
    return parse_qs(urlsplit(address or "").query)["picture"][0]


async def open_picture(page: Page, image_id: str) -> None:
    """Open a picture of the gallery as a person does."""
    await page.locator(f"[data-testid=picture][data-picture='{image_id}']").click()
    await expect(page.get_by_test_id("detail")).to_be_visible()


async def sideways(page: Page, part: str) -> int:
    """How many pixels one can scroll a part of the page sideways."""
    return int(await page.locator(part).evaluate("part => { part.scrollLeft = 999; return part.scrollLeft; }"))


def is_correction(response: Response) -> bool:
    """Whether this is the server's word on a correction."""
    return response.request.method == "PATCH" and response.ok


async def test_a_photo_given_through_the_file_input_gets_a_caption_and_a_label(
    page: Page, live_url: str, new_photo: Path
) -> None:
    await page.goto(live_url)

    await give(page, new_photo)

    await expect(page.get_by_test_id("upload-caption")).to_have_text(re.compile(r"\w+ \w+ \w+"))
    await expect(page.get_by_test_id("upload-label")).to_have_text(re.compile(r"^[a-z0-9 ]+$"))
    await expect(page.get_by_test_id("upload-confidence")).to_have_text(re.compile(r"^[<>]?\d+\s%$"))


async def test_a_photo_given_twice_is_said_to_be_there_already(page: Page, live_url: str, new_photo: Path) -> None:
    await page.goto(live_url)
    await give(page, new_photo)

    await page.locator("input[type=file]").first.set_input_files(new_photo)

    await expect(page.get_by_test_id("upload-known")).to_be_visible(timeout=DESCRIBED_MS)


async def test_a_new_picture_stands_first_in_the_gallery_and_a_word_of_its_caption_finds_it(
    page: Page, live_url: str, new_photo: Path
) -> None:
    await page.goto(live_url)
    image_id = await give(page, new_photo)
    tiles = page.get_by_test_id("picture")

    await expect(tiles.first).to_have_attribute("data-picture", image_id)

    caption = await page.get_by_test_id("upload-caption").inner_text()
    word = max(re.findall(r"[a-z]+", caption.lower()), key=len)
    await page.get_by_test_id("search").fill(word)
    await expect(page).to_have_url(re.compile(rf"[?&]q={word}"))
    await expect(page.locator(f"[data-testid=picture][data-picture='{image_id}']")).to_be_visible()

    await page.get_by_test_id("search").fill("xylophone quokka")
    await expect(tiles).to_have_count(0)


async def test_a_corrected_label_stays_after_reload_and_says_that_a_person_gave_it(
    page: Page, live_url: str, new_photo: Path
) -> None:
    await page.goto(live_url)
    await open_picture(page, await give(page, new_photo))

    async with page.expect_response(is_correction):
        await page.get_by_test_id("other-label").fill("Rainy day")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("detail-label")).to_have_text("rainy day")
    await page.reload()

    await expect(page.get_by_test_id("detail-label")).to_have_text("rainy day")
    await expect(page.get_by_test_id("detail-label-source")).to_contain_text("you")
    await expect(page.locator("[data-testid=label-chip][data-label=rainy_day]")).to_be_attached()


async def test_a_corrected_caption_stays_after_reload(page: Page, live_url: str, new_photo: Path) -> None:
    await page.goto(live_url)
    await open_picture(page, await give(page, new_photo))

    await page.get_by_test_id("detail-caption").click()
    async with page.expect_response(is_correction):
        await page.get_by_test_id("caption-field").fill("the one that sleeps on the piano")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("detail-caption")).to_have_text("the one that sleeps on the piano")
    await page.reload()

    await expect(page.get_by_test_id("detail-caption")).to_have_text("the one that sleeps on the piano")
    await expect(page.get_by_test_id("detail-caption-source")).to_contain_text("you")


async def test_a_text_file_with_the_name_of_a_picture_is_refused_in_words(
    page: Page, live_url: str, tmp_path: Path
) -> None:
    await page.goto(live_url)
    letter = tmp_path / "letter.jpg"
    letter.write_text("Dear Ada, this is no picture.")

    await page.locator("input[type=file]").first.set_input_files(letter)

    await expect(page.get_by_test_id("upload-error")).to_have_text(re.compile(r"\w+ \w+ \w+"))
    await expect(page.get_by_test_id("upload-summary")).to_contain_text("1 refused")


async def test_the_page_logs_no_error_asks_nobody_else_and_is_silent_when_nothing_happens(
    page: Page, live_url: str, new_photo: Path
) -> None:
    errors: list[str] = []
    requests: list[str] = []

    def note_error(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            errors.append(message.text)

    def note_request(request: Request) -> None:
        if not request.url.startswith("blob:"):
            requests.append(request.url)

    page.on("console", note_error)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", note_request)
    await page.goto(live_url)
    await open_picture(page, await give(page, new_photo))
    await page.get_by_test_id("detail-close").click()
    await asyncio.sleep(1)  # what the upload set off may still settle

    assert errors == []
    assert {urlsplit(url).netloc for url in requests} == {urlsplit(live_url).netloc}

    requests.clear()
    await asyncio.sleep(QUIET_S)
    assert requests == []


async def test_nothing_scrolls_sideways_on_a_phone(page: Page, live_url: str, new_photo: Path) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.goto(live_url)
    image_id = await give(page, new_photo)
    assert await sideways(page, "html") == 0

    await page.get_by_role("button", name="Close").click()
    await open_picture(page, image_id)
    await page.get_by_test_id("where-it-looked").click()
    await expect(page.get_by_test_id("look-word").first).to_be_visible()
    assert await sideways(page, "html") == 0
    assert await sideways(page, "[data-testid=detail]") == 0


async def test_a_word_that_is_pointed_at_shows_where_the_model_looked(
    page: Page, live_url: str, new_photo: Path
) -> None:
    await page.goto(live_url)
    await open_picture(page, await give(page, new_photo))
    caption = await page.get_by_test_id("detail-caption").inner_text()
    words, glow = page.get_by_test_id("look-word"), page.get_by_test_id("glow")

    await page.get_by_test_id("where-it-looked").click()
    await expect(words).to_have_text(caption.split())
    await expect(glow).to_have_count(0)

    await words.first.hover()
    await expect(glow).to_be_visible()
    await page.get_by_test_id("detail-caption-source").hover()
    await expect(glow).to_have_count(0)

    await words.nth(1).focus()
    await expect(glow).to_be_visible()
    await page.get_by_test_id("where-it-looked").click()
    await expect(words).to_have_count(0)
    await expect(glow).to_have_count(0)


async def test_why_a_label_is_told_in_words_and_over_the_picture(page: Page, live_url: str, new_photo: Path) -> None:
    await page.goto(live_url)
    await open_picture(page, await give(page, new_photo))
    why, words, glow = (page.get_by_test_id(name) for name in ("why-this-label", "why-words", "glow"))

    await why.click()
    await expect(words).to_have_text(re.compile(r"\w+.*\."))
    await expect(glow).to_be_visible()
    await expect(page.get_by_role("region", name="Why this label")).to_contain_text("speaks for")

    await why.click()
    await expect(words).to_have_count(0)
    await expect(glow).to_have_count(0)


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """A picture that belongs to no label."""
    file = tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(uuid.uuid4().int).integers(0, 256, (300, 400, 3), dtype=np.uint8)).save(file)
    return file


async def test_what_is_not_sure_is_decided_with_one_key_and_taken_back_with_backspace(
    page: Page, live_url: str, noise: Path
) -> None:
    await page.goto(live_url)
    image_id = await give(page, noise)
    await page.get_by_role("button", name="Close").click()
    await page.get_by_test_id("review-chip").click()
    shown, count = page.get_by_test_id("review-picture"), page.get_by_test_id("review-count")
    while (current := await shown.get_attribute("data-picture")) != image_id:
        await page.keyboard.press("ArrowRight")
        await expect(shown).not_to_have_attribute("data-picture", str(current))
    choice = page.get_by_test_id("review-choice").nth(2)
    label = await choice.get_attribute("data-label")

    await page.keyboard.press("3")
    await expect(count).to_have_text("1 picture decided")
    await page.keyboard.press("Backspace")
    await expect(count).to_have_text("0 pictures decided")
    await expect(shown).to_have_attribute("data-picture", image_id)
    record = await (await page.request.get(f"{live_url}/api/v1/images/{image_id}")).json()
    assert record["label"]["source"] == "model"

    await page.keyboard.press("3")
    async with page.expect_response(is_correction):
        await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("review")).to_have_count(0)
    record = await (await page.request.get(f"{live_url}/api/v1/images/{image_id}")).json()
    assert (record["label"]["value"], record["label"]["source"]) == (label, "person")


async def test_the_review_room_can_be_linked_to_and_left_with_back(page: Page, live_url: str, noise: Path) -> None:
    await page.goto(live_url)
    await give(page, noise)
    await page.goto(f"{live_url}/?room=review")
    await expect(page.get_by_test_id("review-picture")).to_be_visible()
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await sideways(page, "[data-testid=review]") == 0
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("review")).to_have_count(0)
    await page.go_back()
    await expect(page.get_by_test_id("review")).to_be_visible()


async def test_back_closes_the_open_picture_and_escape_does_the_same(
    page: Page, live_url: str, new_photo: Path
) -> None:
    await page.goto(live_url)
    image_id = await give(page, new_photo)
    detail = page.get_by_test_id("detail")

    await open_picture(page, image_id)
    await expect(page).to_have_url(re.compile(rf"picture={image_id}"))
    await page.go_back()
    await expect(detail).to_have_count(0)

    await open_picture(page, image_id)
    await page.keyboard.press("Escape")
    await expect(detail).to_have_count(0)
    await expect(page.locator(f"[data-testid=picture][data-picture='{image_id}']")).to_be_focused()


async def test_a_key_counts_as_soon_as_what_it_means_is_open(page: Page, live_url: str, noise: Path) -> None:
    await page.goto(live_url)
    image_id = await give(page, noise)
    await expect(page.get_by_test_id("review-chip")).to_be_visible()

    for opener, opened in (
        (f"[data-testid=picture][data-picture='{image_id}']", "detail"),
        ("[data-testid=review-chip]", "review"),
    ):
        await page.evaluate(PRESS_ESCAPE_AT_ONCE, [opener, f"[data-testid={opened}]"])
        await expect(page.get_by_test_id(opened)).to_have_count(0)


async def test_a_deleted_picture_can_be_brought_back(page: Page, live_url: str, new_photo: Path) -> None:
    await page.goto(live_url)
    image_id = await give(page, new_photo)
    tile = page.locator(f"[data-testid=picture][data-picture='{image_id}']")

    await open_picture(page, image_id)
    await page.get_by_test_id("delete").click()
    await expect(tile).to_have_count(0)

    await page.get_by_test_id("notice").get_by_role("button", name="Undo").click()
    await expect(tile).to_have_count(1)


async def test_a_chosen_theme_is_remembered(page: Page, live_url: str) -> None:
    await page.emulate_media(color_scheme="light")
    await page.goto(live_url)

    await page.get_by_test_id("theme-switch").click()
    await page.reload()

    background = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert background == "rgb(20, 19, 17)"


async def test_what_is_shown_can_be_downloaded_as_one_zip(
    page: Page, live_url: str, new_photo: Path, tmp_path: Path
) -> None:
    await page.goto(live_url)
    image_id = await give(page, new_photo)
    corrected = await page.request.patch(f"{live_url}/api/v1/images/{image_id}", data={"label": "to_download"})
    assert corrected.ok
    await page.goto(f"{live_url}/?label=to_download")

    async with page.expect_download() as downloading:
        await page.get_by_test_id("download").click()
    download = await downloading.value
    await download.save_as(tmp_path / "pictures.zip")

    assert re.fullmatch(r"legenda-to_download-\d{4}-\d\d-\d\d\.zip", download.suggested_filename)
    with zipfile.ZipFile(tmp_path / "pictures.zip") as archive:
        assert archive.namelist() == [f"to_download/{new_photo.name}", "captions.csv"]
        original = archive.read(f"to_download/{new_photo.name}")
    assert hashlib.sha256(original).hexdigest() == (await corrected.json())["sha256"]
    await expect(page).to_have_url(f"{live_url}/?label=to_download")
