"""A headless Chromium for the tests of the page: one for all of them, which share its event loop; a window for each."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect
from pytest_asyncio import is_async_test

from tests.browser.axe import AXE

HERE = Path(__file__).parent
PATIENCE_MS = 30_000
"""For what a page does and for what it comes to show: a model may have to look first, on a busy machine."""
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests of the page share the loop that the browser was started on."""
    for item in items:
        if item.path.is_relative_to(HERE) and is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """A browser; starting it takes longer than most tests."""
    async with async_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A fresh browser window of 1280 by 860, with nothing remembered."""
    async with await browser.new_context(viewport={"width": 1280, "height": 860}) as context:
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        yield page


@pytest_asyncio.fixture(loop_scope="session")
async def checked(page: Page) -> Page:
    """A page that carries axe with it; nothing of it is served."""
    if not AXE.exists():
        reason = "axe-core is not there: tests/web/prepare.sh fetches it, with Node 20.19 or later and npm"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    await page.add_init_script(path=AXE)
    return page


@pytest.fixture
def new_photo(photo: Path, tmp_path: Path) -> Path:
    """The same photo in bytes that were never seen before, so that no test finds it already there."""
    copy = tmp_path / photo.name
    copy.write_bytes(photo.read_bytes() + uuid.uuid4().bytes)  # decoders stop at the end-of-image mark
    return copy


@pytest.fixture
def batches_ended(live_url: str) -> Iterator[None]:
    """Cancel what a test leaves under way: the next one's page would show it, for it is the same platform."""
    yield
    with httpx.Client(base_url=live_url, timeout=60) as client:
        for batch in client.get("/api/v1/batches", params={"limit": 50}).raise_for_status().json()["items"]:
            client.delete(f"/api/v1/batches/{batch['id']}").raise_for_status()
