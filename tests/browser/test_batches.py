"""Many pictures at once: a batch on the page, in a real browser, with the real services behind it."""

from __future__ import annotations

import re
import uuid
import zipfile
from pathlib import Path

import pytest
from playwright.async_api import Page, Response, expect

from tests.pictures import photo_bytes

pytestmark = pytest.mark.usefixtures("batches_ended")

DESCRIBED_MS = 300_000
PHOTOS = 21
ZIPPED = 40


def _new_photo(seed: int) -> bytes:
    """Return a picture in bytes that were never seen before; decoders stop at the end-of-image mark."""
    return photo_bytes(seed) + uuid.uuid4().bytes


def _is_taken(response: Response) -> bool:
    """Whether this is the server's word that a batch has come whole."""
    return response.request.method == "POST" and response.status == 202


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures, one of them two folders down, a letter, and what a system leaves behind."""
    folder = tmp_path / "holiday"
    (folder / "2019" / "summer").mkdir(parents=True)
    for number in range(2):
        (folder / f"{number}.jpg").write_bytes(_new_photo(number))
    (folder / "2019" / "summer" / "sea.jpg").write_bytes(_new_photo(3))
    (folder / "2019" / "letter.txt").write_text("Dear Ada")
    (folder / ".DS_Store").write_text("x")
    return folder


async def test_more_than_twenty_files_become_a_batch_that_ends_by_itself_and_says_what_was_refused(
    page: Page, live_url: str, tmp_path: Path
) -> None:
    files = [tmp_path / f"{number}.jpg" for number in range(PHOTOS)]
    for number, file in enumerate(files):
        file.write_bytes(_new_photo(number))
    letter = tmp_path / "letter.jpg"
    letter.write_text("Dear Ada, this is no picture.")
    await page.goto(live_url)

    await page.locator("input[type=file]").first.set_input_files([*files, letter])

    batch = page.get_by_test_id("batch")
    await expect(batch).to_be_visible()
    await expect(batch).to_have_attribute("data-state", "complete", timeout=DESCRIBED_MS)
    await expect(page.get_by_test_id("batch-summary")).to_contain_text(f"{PHOTOS} of {PHOTOS} described")
    refused = page.get_by_test_id("batch-refused")
    await refused.locator("summary").click()
    await expect(refused).to_contain_text("letter.jpg")
    await expect(refused.locator(".refusal")).to_have_text(re.compile(r"\w+ \w+ \w+"))
    await expect(page.get_by_test_id("upload-tray")).to_have_count(0)
    await batch.get_by_label("Close").click()
    await expect(batch).to_have_count(0)


async def test_a_zip_goes_on_when_the_page_is_closed_and_is_shown_when_it_is_opened_again(
    page: Page, live_url: str, tmp_path: Path
) -> None:
    many = tmp_path / "many.zip"
    with zipfile.ZipFile(many, "w") as into:
        for number in range(ZIPPED):
            into.writestr(f"{number}.jpg", _new_photo(number))
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.goto(live_url)
    async with page.expect_response(_is_taken, timeout=DESCRIBED_MS):
        await page.locator("input[type=file]").first.set_input_files(many)

    await page.goto("about:blank")
    await page.goto(live_url)

    batch = page.get_by_test_id("batch").first
    await expect(batch).to_have_attribute("data-state", "working")
    await expect(page.get_by_test_id("batch-summary").first).to_contain_text(f"of {ZIPPED} described")
    box = await batch.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    await batch.get_by_test_id("batch-cancel").click()
    await expect(batch).to_have_attribute("data-state", "cancelled")
    await expect(page.get_by_test_id("batch-summary").first).to_contain_text("Cancelled")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await page.reload()
    await expect(page.get_by_test_id("summary")).not_to_have_text("\u00a0")
    await expect(page.get_by_test_id("batch")).to_have_count(0)


@pytest.mark.parametrize("way", ["picker", "drop"])
async def test_a_folder_is_taken_with_all_folders_in_it(page: Page, live_url: str, folder: Path, way: str) -> None:
    await page.goto(live_url)

    if way == "picker":
        await page.get_by_test_id("folder-input").set_input_files(folder)
        await expect(page.get_by_test_id("upload")).to_have_count(4)  # few enough to be shown one by one
    else:
        await page.evaluate(DROP_A_FOLDER, [list(_new_photo(number)) for number in range(PHOTOS)])
        summary = page.get_by_test_id("batch-summary")
        await expect(summary).to_contain_text(f"{PHOTOS} of {PHOTOS} described", timeout=DESCRIBED_MS)


# A browser lets nobody make a directory's entry: this one says what a real one says.
DROP_A_FOLDER = """contents => {
  const file = (content, name) => ({
    name, isFile: true, isDirectory: false,
    file: give => give(new File([new Uint8Array(content)], name, { type: "image/jpeg" })),
  });
  const directory = (name, entries) => ({
    name, isFile: false, isDirectory: true,
    createReader: () => {
      const left = [...entries];
      return { readEntries: give => give(left.splice(0, 5)) };
    },
  });
  const photos = contents.map((content, number) => file(content, `${number}.jpg`));
  const inner = directory("inner", photos.slice(10));
  const outer = directory("outer", [...photos.slice(0, 10), inner, file([1], ".DS_Store"), file([1], "Thumbs.db")]);
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File(["x"], "outer"));
  Object.defineProperty(dataTransfer, "items", { value: [{ webkitGetAsEntry: () => outer }] });
  const event = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer });
  Object.defineProperty(event, "dataTransfer", { value: dataTransfer });
  document.body.dispatchEvent(event);
}"""
