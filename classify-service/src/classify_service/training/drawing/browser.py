"""Draws HTML with a headless Chromium: one browser for a whole run, nothing fetched, a deadline for each picture."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from classify_service.model.preprocessing import Picture
from classify_service.training.drawing.markup import Markup

if TYPE_CHECKING:
    from playwright.sync_api import Page

DRAW_TIMEOUT_S = 30.0
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Without a sandbox it also runs as root; nothing from outside is ever opened.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
]


class NoBrowser(Exception):
    """Pages cannot be drawn here."""


class Browser:
    """Turns markup into pictures."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def draw(self, markup: Markup) -> Picture:
        """Return what the browser shows: RGB, uint8, (height_px, width_px, 3).

        Raises:
            playwright.sync_api.Error: the browser was lost, or took longer than DRAW_TIMEOUT_S.
        """
        self._page.set_viewport_size({"width": markup.width_px, "height": markup.height_px})
        self._page.set_content(markup.html, wait_until="load")
        shot = self._page.screenshot(type="png", animations="disabled")
        return np.asarray(Image.open(BytesIO(shot)).convert("RGB"), dtype=np.uint8)


def find_chromium() -> Path:
    """Return the path of this machine's Chromium.

    Raises:
        NoBrowser: there is none.
    """
    found = next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise NoBrowser("no Chromium: install it (Debian: apt-get install chromium) or name it with --chromium")
    return Path(found)


@contextmanager
def open_browser(chromium: Path) -> Iterator[Browser]:
    """Start a browser without a network, and close it in any case.

    Raises:
        NoBrowser: Playwright is missing, or this Chromium does not start, or was lost.
    """
    try:
        from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 - not in every installation
    except ModuleNotFoundError as error:
        raise NoBrowser("drawing needs Playwright: `make setup`, or pip install playwright") from error
    # Ctrl-C reaches the browser too; this process ends it, in order.
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS, handle_sigint=False)
            context = browser.new_context(offline=True, java_script_enabled=False, device_scale_factor=1)
            page = context.new_page()
            page.set_default_timeout(DRAW_TIMEOUT_S * 1000)
            yield Browser(page)
            browser.close()
        except Error as error:
            raise NoBrowser(f"the browser failed: {error.message.strip().splitlines()[0]}") from error
