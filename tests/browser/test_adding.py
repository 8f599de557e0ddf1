"""Other ways in: the clipboard, a phone's camera; pausing, and a tab that is closed too early."""

from __future__ import annotations

import asyncio
import re
import uuid
from pathlib import Path

import pytest
from playwright.async_api import CDPSession, Page, expect

from tests.browser.test_page import DESCRIBED_MS, sideways

pytestmark = pytest.mark.usefixtures("batches_ended")

FILES = 21
SLOW_BYTES_A_S = 40_000
PASTE = """bytes => {
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([new Uint8Array(bytes)], "image.png", { type: "image/png" }));
  document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""

PASTE_WORDS = """() => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", "snow");
  const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
  if (!document.activeElement.dispatchEvent(event)) throw new Error("the words were taken away");
}"""

STILL_COMES = """fetch("api/v1/batches?limit=1").then(async answer => {
  const { items } = await answer.json();
  return items[0].state === "receiving";
})"""

NO_PROGRESS = """Object.defineProperty(XMLHttpRequestUpload.prototype, "onprogress", { set() {} })"""


class Network:
    """How fast the browser may send, and what it hears."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    @classmethod
    async def of(cls, page: Page) -> Network:
        session = await page.context.new_cdp_session(page)
        await session.send("Network.enable")
        return cls(session)

    async def allow(self, bytes_a_s: int) -> None:
        """Let it send at most so much; -1 is as fast as it can."""
        conditions = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_s}
        await self._session.send("Network.emulateNetworkConditions", conditions)

    async def keep_answers(self, url_pattern: str) -> None:
        """Send what is asked there, and never tell what was answered."""
        pattern = {"urlPattern": url_pattern, "requestStage": "Response"}
        await self._session.send("Fetch.enable", {"patterns": [pattern]})


@pytest.fixture
def photos(photo: Path, tmp_path: Path) -> list[Path]:
    """As many photos as become a batch, in bytes that were never seen before."""
    files = [tmp_path / f"{number:02}.jpg" for number in range(FILES)]
    for file in files:
        file.write_bytes(photo.read_bytes() + uuid.uuid4().bytes)
    return files


async def test_a_picture_in_the_clipboard_is_pasted_anywhere(page: Page, live_url: str, new_photo: Path) -> None:
    await page.goto(live_url)
    await expect(page.get_by_test_id("summary")).to_be_visible()
    await page.evaluate(PASTE, list(await asyncio.to_thread(new_photo.read_bytes)))

    await expect(page.get_by_test_id("upload-caption")).to_be_visible(timeout=DESCRIBED_MS)
    await page.get_by_test_id("upload-result").click()
    name = page.get_by_test_id("detail-facts").locator(".file-name")
    await expect(name).to_have_text(re.compile(r"^pasted_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.png$"))


async def test_words_in_the_clipboard_go_into_the_search(page: Page, live_url: str) -> None:
    await page.goto(live_url)
    await page.get_by_test_id("search").focus()
    await page.evaluate(PASTE_WORDS)
    await page.keyboard.insert_text("snow")
    await expect(page.get_by_test_id("search")).to_have_value("snow")
    await expect(page.get_by_test_id("upload")).to_have_count(0)


async def test_a_phone_has_a_button_for_its_camera(page: Page, live_url: str, new_photo: Path) -> None:
    await page.goto(live_url)
    camera = page.get_by_test_id("camera-input")
    await expect(page.locator(".add-photo").first).to_be_hidden()

    await page.set_viewport_size({"width": 390, "height": 844})
    await expect(page.locator(".add-photo").first).to_be_visible()
    await expect(camera).to_have_attribute("capture", "environment")
    await camera.set_input_files(new_photo)
    await expect(page.get_by_test_id("upload-caption")).to_be_visible(timeout=DESCRIBED_MS)
    assert await sideways(page, "html") == 0


async def test_a_batch_can_be_paused_and_goes_on_where_it_was(page: Page, live_url: str, photos: list[Path]) -> None:
    await page.goto(live_url)
    network = await Network.of(page)
    await network.allow(SLOW_BYTES_A_S)
    await page.locator("input[type=file]").first.set_input_files(photos)
    batch, summary = page.get_by_test_id("batch"), page.get_by_test_id("batch-summary")
    await expect(summary).to_contain_text(re.compile(r"[1-9]\d* of 21 arrived"), timeout=30_000)

    await page.get_by_test_id("batch-pause").click()
    await expect(batch).to_have_attribute("data-state", "paused")
    await expect(page.get_by_test_id("batch-note")).to_contain_text("What has arrived is kept")

    while await page.evaluate(STILL_COMES):  # the browser lets all go that it held back, even what was broken off
        await page.wait_for_timeout(50)
    await network.allow(-1)
    await page.get_by_test_id("batch-resume").click()
    await expect(batch).to_have_attribute("data-state", re.compile("working|complete"), timeout=60_000)
    await expect(summary).to_contain_text(f" of {FILES} described")  # none is missing, and none came twice


async def test_a_batch_that_was_paused_when_all_had_arrived_lacks_nothing(
    page: Page, live_url: str, photos: list[Path]
) -> None:
    await page.add_init_script(NO_PROGRESS)
    await (await Network.of(page)).keep_answers("*/api/v1/batches?id=*")
    await page.goto(live_url)
    await page.locator("input[type=file]").first.set_input_files(photos)
    batch, summary = page.get_by_test_id("batch"), page.get_by_test_id("batch-summary")
    await expect(summary).to_contain_text(f"{FILES} described", timeout=60_000)

    await page.get_by_test_id("batch-pause").click()
    await expect(batch).to_have_attribute("data-state", "paused")
    await page.get_by_test_id("batch-resume").click()
    await expect(batch).to_have_attribute("data-state", re.compile("working|complete"))
    await expect(summary).to_contain_text(f"{FILES} of {FILES} described", timeout=60_000)
    await expect(page.get_by_test_id("batch-note")).to_have_text("All done.")


@pytest.mark.parametrize("count", [1, FILES])
async def test_what_was_not_sent_when_the_tab_was_closed_is_sent_at_the_next_visit(
    page: Page, live_url: str, photos: list[Path], count: int
) -> None:
    await page.goto(live_url)
    network = await Network.of(page)
    await network.allow(2_000)
    await page.locator("input[type=file]").first.set_input_files(photos[:count])
    kept = "indexedDB.databases().then(all => all.some(({ name }) => name === 'legenda-unsent'))"
    while not await page.evaluate(kept) or await page.evaluate(COUNT_KEPT) < count:
        await page.wait_for_timeout(50)

    await page.goto("about:blank")
    await network.allow(-1)
    await page.goto(live_url)

    if count == 1:
        await expect(page.get_by_test_id("upload-caption")).to_be_visible(timeout=DESCRIBED_MS)
    else:
        await expect(page.get_by_test_id("batch-summary").first).to_contain_text("described", timeout=DESCRIBED_MS)
        await expect(page.get_by_test_id("batch-summary").first).to_contain_text(
            f" of {FILES} described", timeout=60_000
        )
    while await page.evaluate(COUNT_KEPT):
        await page.wait_for_timeout(50)


COUNT_KEPT = """new Promise((resolve, reject) => {
  const opening = indexedDB.open("legenda-unsent");
  opening.onerror = reject;
  opening.onsuccess = () => {
    const counting = opening.result.transaction("files").objectStore("files").count();
    counting.onsuccess = () => { opening.result.close(); resolve(counting.result); };
  };
})"""
