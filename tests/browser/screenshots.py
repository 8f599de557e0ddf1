"""Take pictures of every view, in both themes and both widths, to be looked at; three of them stand in the README.

    python -m tests.browser.screenshots screenshots

The real services describe the shipped samples (CC0), parts of them, and pages that `classify-draw` draws.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
from PIL import Image
from playwright.async_api import Page, async_playwright, expect
from playwright.async_api import TimeoutError as NotInTime

from tests.browser.chromium import NOT_FOUND, find_chromium
from tests.browser.conftest import QUIET
from tests.browser.large_gallery import services_without_models
from tests.live_platform import ROOT, running_platform

SAMPLES = ROOT / "web" / "samples"
PARTS = ((0.0, 0.0, 0.6, 0.7), (0.3, 0.1, 1.0, 0.9), (0.15, 0.25, 0.75, 1.0), (0.0, 0.3, 1.0, 0.8))
SHOWN = {"gallery-1280-light": 860, "detail-1280-dark": 860, "gallery-390-light": 390}
"""Those of the README, with the width in px that they are saved with."""
DESCRIBED_S = 300
TRIES = 3

Show = Callable[[Page, str], Awaitable[None]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screenshots", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--chromium", default=find_chromium(), help="path of the browser (default: %(default)s)")
    parser.add_argument("--readme", action="store_true", help="also save those of the README anew")
    options = parser.parse_args()
    if options.chromium is None:
        sys.exit(NOT_FOUND)
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="legenda-shots-") as name:
        folder = Path(name)
        drawing = ["--count", "2", "--seed", "11", "--photos", str(SAMPLES), "--chromium", options.chromium]
        command = [sys.executable, "-m", "classify_service.training.drawing.draw", str(folder / "drawn"), *drawing]
        subprocess.run(command, check=True)
        (folder / "empty").mkdir()
        with running_platform(folder) as platform, services_without_models(folder / "empty") as empty:
            _add(platform.url, _pictures(folder / "drawn"))
            asyncio.run(_shoot_all(options.chromium, platform.url, empty, options.out))
    if options.readme:
        for shot, width in SHOWN.items():
            with Image.open(options.out / f"{shot}.png") as image:
                small = image.convert("RGB").resize((width, round(image.height * width / image.width)), Image.LANCZOS)
                small.save(ROOT / "tests/browser" / f"{shot}.webp", quality=80, method=6)


def _pictures(drawn: Path) -> list[tuple[str, bytes]]:
    """Return drawn pages and photos in turns, so that the gallery looks like somebody's."""
    pages = [(f"{file.parent.name}-{file.name}", file.read_bytes()) for file in sorted(drawn.rglob("*.jpg"))]
    photos = []
    for part in (*PARTS, (0.0, 0.0, 1.0, 1.0)):
        for name in ("chelsea", "coffee", "rocket"):
            with Image.open(SAMPLES / f"{name}.jpg") as photo:
                left, top, right, bottom = part
                box = (photo.width * left, photo.height * top, photo.width * right, photo.height * bottom)
                stream = io.BytesIO()
                photo.crop(tuple(map(int, box))).save(stream, "JPEG", quality=92)
            photos.append((f"{name}-{len(photos)}.jpg", stream.getvalue()))
    turns = []
    while photos or pages:
        turns += [each.pop(0) for each in (pages, photos) if each]
    return turns


def _add(url: str, pictures: list[tuple[str, bytes]]) -> None:
    with httpx.Client(base_url=url, timeout=DESCRIBED_S, trust_env=False) as client:
        for name, content in pictures:
            client.post("/api/v1/images", files={"file": (name, content)}).raise_for_status()
        records = client.get("/api/v1/images", params={"limit": 100}).json()["items"]
        for record in records:
            if record["filename"].startswith("coffee"):
                client.patch(f"/api/v1/images/{record['id']}", json={"caption": "a cup of coffee on a wooden table"})


async def _shoot_all(chromium: str, url: str, empty: str, out: Path) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        for width, height in ((1280, 860), (390, 844)):
            for theme in ("light", "dark"):
                context = await browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme=theme,
                    reduced_motion="reduce",
                    device_scale_factor=2 if width == 390 else 1.5,
                )
                page = await context.new_page()
                for name, show in VIEWS.items():
                    await _show(page, show, empty if name == "empty" else url)
                    await page.screenshot(path=out / f"{name}-{width}-{theme}.png")
                await context.close()
        await browser.close()


async def _show(page: Page, show: Show, url: str) -> None:
    """Open a view; once more where the machine was too busy to show it in time."""
    for tries_left in reversed(range(TRIES)):
        try:
            await show(page, url)
            await _settle(page)
        except NotInTime:
            if not tries_left:
                raise
        else:
            return


async def _settle(page: Page) -> None:
    await page.wait_for_load_state("networkidle")
    await page.evaluate("Promise.all([...document.images].map(image => image.decode().catch(() => {})))")


async def _gallery(page: Page, url: str) -> None:
    await page.goto(url)
    await page.get_by_test_id("picture").first.wait_for()


async def _chosen(page: Page, url: str) -> None:
    await page.goto(f"{url}/?sure=70-100")
    await page.get_by_test_id("picture").first.wait_for()
    for at in (1, 2, 4):
        await page.get_by_test_id("picture").nth(at).click(modifiers=["Control"])
    await page.get_by_test_id("selection-label").click()


async def _found(page: Page, url: str) -> None:
    await page.goto(f"{url}/?q=cup+of")
    await page.get_by_test_id("picture").first.wait_for()
    if await page.get_by_test_id("picture").count() > 1:
        await page.get_by_test_id("picture").nth(1).hover()


async def _nothing(page: Page, url: str) -> None:
    await page.goto(f"{url}/?q=xylophone+quokka")
    await page.locator(".gallery .nothing").wait_for()


async def _detail(page: Page, url: str) -> None:
    await page.goto(f"{url}/?q=chelsea+12")
    await page.get_by_test_id("picture").first.click()
    await page.get_by_test_id("where-it-looked").click()
    await page.get_by_test_id("look-word").nth(1).focus()


async def _why(page: Page, url: str) -> None:
    await page.goto(f"{url}/?q=chelsea+12")
    await page.get_by_test_id("picture").first.click()
    await page.get_by_test_id("why-this-label").click()
    await page.get_by_test_id("history").click()
    await expect(page.get_by_test_id("history-entries")).to_be_visible()
    await page.get_by_test_id("why-words").wait_for()


async def _review(page: Page, url: str) -> None:
    await page.goto(f"{url}/?room=review")
    await page.locator(".asked, [data-testid=review-end]").first.wait_for()


async def _status(page: Page, url: str) -> None:
    await page.goto(f"{url}/status")
    await page.get_by_test_id("verdict").wait_for()


async def _adding(page: Page, url: str) -> None:
    await page.goto(url)
    await page.locator("input[type=file]").first.set_input_files([SAMPLES / "chelsea.jpg", SAMPLES / "README.md"])
    await page.get_by_test_id("upload-error").wait_for()


async def _empty(page: Page, url: str) -> None:
    await page.goto(url)
    await page.get_by_test_id("empty").wait_for()


VIEWS = {
    "empty": _empty,
    "gallery": _gallery,
    "chosen": _chosen,
    "found": _found,
    "nothing": _nothing,
    "detail": _detail,
    "why": _why,
    "review": _review,
    "status": _status,
    "adding": _adding,
}

if __name__ == "__main__":
    main()
