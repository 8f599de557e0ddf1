"""The page on how Legenda is doing, in a real browser: with all services there, and with the models away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from shared.status_contracts import PlatformStatus
from tests.browser.test_page import give, sideways
from tests.integration.gateway.processes import running
from tests.live_platform import free_ports
from tests.pictures import photo_bytes


@pytest.fixture(scope="module")
def without_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A gateway and a storage with one picture that nobody describes."""
    folder = tmp_path_factory.mktemp("without-models")
    ports = dict(zip(("GATEWAY", "STORAGE", "CAPTION", "CLASSIFY"), free_ports(4), strict=True))
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    environment = {f"{name}_PORT": str(port) for name, port in ports.items()}
    environment |= {f"GATEWAY_{name}_URL": url for name, url in urls.items() if name != "GATEWAY"}
    with (
        running("storage_service", folder, environment, urls["STORAGE"]),
        running("gateway", folder, environment, urls["GATEWAY"]) as client,
    ):
        client.post("/api/v1/images", files={"file": ("dog.jpg", photo_bytes())}).raise_for_status()
        yield client


async def shoot(page: Page, name: str) -> None:
    """Take pictures of the page, wide and narrow, light and dark, where LEGENDA_TEST_SCREENSHOTS says."""
    if shots := os.environ.get("LEGENDA_TEST_SCREENSHOTS"):
        for width, scheme in ((1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")):
            await page.set_viewport_size({"width": width, "height": 860})
            await page.emulate_media(color_scheme=scheme)
            await page.screenshot(path=Path(shots) / f"{name}-{width}-{scheme}.png", full_page=True)


async def test_it_says_which_services_are_away_and_what_waits(page: Page, without_models: httpx.Client) -> None:
    await page.goto(str(without_models.base_url))
    await page.get_by_test_id("status-link").click()
    await expect(page).to_have_title("Status · Legenda")
    await expect(page.get_by_test_id("verdict")).to_contain_text("2 services not ready: caption and classify.")
    ready = page.locator("[data-testid=service][data-ready=true]")
    await expect(ready).to_have_count(1)  # the gateway itself has never been ready without them
    await expect(page.get_by_test_id("pending")).to_have_text("1")
    await expect(page.get_by_test_id("oldest")).to_contain_text("second")
    await expect(page.get_by_test_id("kept")).to_have_text("1")
    await expect(page.get_by_test_id("pace-total")).to_have_text("None in the last hour.")
    for width in (1280, 390):
        await page.set_viewport_size({"width": width, "height": 860})
        assert await sideways(page, "html") == 0
    await shoot(page, "status-away")


async def test_it_shows_the_models_with_their_measures_and_the_pace(page: Page, live_url: str, new_photo: Path) -> None:
    await page.goto(live_url)
    await give(page, new_photo)
    await page.goto(f"{live_url}/status")
    await expect(page.get_by_test_id("verdict")).to_have_text("All is well.")
    await expect(page.get_by_test_id("model").first).to_contain_text("CIDEr .")
    await expect(page.get_by_test_id("model").last).to_contain_text("macro-F1 .")
    await expect(page.get_by_test_id("pace").locator("rect").last).to_be_attached()
    async with httpx.AsyncClient() as client:
        told = PlatformStatus.model_validate_json((await client.get(f"{live_url}/api/v1/status")).content)
    assert told.storage
    assert sum(told.storage.described_a_minute) >= 1
    assert [service.is_ready for service in told.services] == [True] * 4
    await shoot(page, "status")
