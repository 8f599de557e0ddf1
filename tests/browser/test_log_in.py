"""The page where keys are asked for: a gateway of its own before the running storage and models."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Dialog, Page, expect

from tests.browser.axe import find_nothing
from tests.integration.gateway.processes import running
from tests.live_platform import free_ports
from tests.pictures import photo_bytes

ADMIN = "a-first-key-for-the-browser-" + "b" * 20


@dataclass(frozen=True)
class Locked:
    url: str
    environment: dict[str, str]

    async def key(self, scope: str) -> str:
        command = [str(Path(sys.executable).with_name("gateway-keys")), "new", "--name", f"a {scope} key"]
        made = await asyncio.create_subprocess_exec(
            *command, "--scope", scope, env=os.environ | self.environment, stdout=subprocess.PIPE
        )
        return (await made.communicate())[0].decode().strip()


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    """A gateway that asks for keys, and its storage; the models are away, which this page does not need."""
    folder = tmp_path_factory.mktemp("locked")
    (folder / "admin").write_text(ADMIN)
    ports = dict(zip(("GATEWAY", "STORAGE", "CAPTION", "CLASSIFY"), free_ports(4), strict=True))
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    environment = {f"{name}_PORT": str(port) for name, port in ports.items()} | {
        **{f"GATEWAY_{name}_URL": url for name, url in urls.items() if name != "GATEWAY"},
        "GATEWAY_ADMIN_KEY_FILE": str(folder / "admin"),
        "GATEWAY_KEY_CACHE_S": "0",
    }
    with (
        running("storage_service", folder, environment, urls["STORAGE"]),
        running("gateway", folder, environment, urls["GATEWAY"]),
    ):
        yield Locked(urls["GATEWAY"], environment)


async def test_a_key_opens_the_page_and_log_out_closes_it(page: Page, locked: Locked, new_photo: Path) -> None:
    await page.goto(locked.url)
    field = page.get_by_test_id("key")
    await expect(field).to_be_focused()
    await field.fill("legenda_wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("log-in-problem")).to_contain_text("This key is not known here")
    if shots := os.environ.get("LEGENDA_TEST_SCREENSHOTS"):
        await page.screenshot(path=Path(shots) / "log-in.png")

    await field.fill(await locked.key("write"))
    await page.keyboard.press("Enter")
    await page.locator("input[type=file]").first.set_input_files(new_photo)
    await expect(page.get_by_test_id("upload-result")).to_be_visible()
    await page.reload()
    await expect(page.get_by_test_id("picture").first).to_be_visible()
    assert await page.evaluate("document.cookie") == ""
    assert [(each["httpOnly"], each["sameSite"]) for each in await page.context.cookies()] == [(True, "Strict")]

    await page.get_by_test_id("log-out").click()
    await expect(page.get_by_test_id("log-in")).to_be_visible()
    assert await page.context.cookies() == []
    await page.reload()
    await expect(page.get_by_test_id("log-in")).to_be_visible()


async def test_the_way_in_is_for_everyone(checked: Page, locked: Locked) -> None:
    await checked.goto(locked.url)
    await checked.get_by_test_id("key").fill("legenda_wrong")
    await checked.keyboard.press("Enter")
    await expect(checked.get_by_test_id("log-in-problem")).to_be_visible()
    await find_nothing(checked)


async def test_who_logs_out_leaves_no_file_behind(page: Page, locked: Locked, new_photo: Path) -> None:
    await page.goto(locked.url)
    await page.get_by_test_id("key").fill(await locked.key("write"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("log-out")).to_be_visible()
    await page.route("**/api/v1/images", lambda _: None)  # it never gets away
    await page.locator("input[type=file]").first.set_input_files(new_photo)
    kept = 'import("/unsent-files.js").then(({ countUnsent }) => countUnsent())'
    while await page.evaluate(kept) == 0:
        await asyncio.sleep(0.05)

    asked = []

    async def answer(dialog: Dialog) -> None:
        asked.append(dialog.message)
        await (dialog.dismiss() if len(asked) == 1 else dialog.accept())

    page.on("dialog", answer)
    await page.get_by_test_id("log-out").click()
    await expect(page.get_by_test_id("log-out")).to_be_visible()
    assert await page.evaluate(kept) == 1
    await page.get_by_test_id("log-out").click()
    await expect(page.get_by_test_id("log-in")).to_be_visible()
    assert asked == ["1 file has not been sent yet. Log out and leave it out?"] * 2
    assert await page.evaluate(kept) == 0


async def test_with_a_key_that_only_reads_the_page_offers_only_to_look(
    page: Page, locked: Locked, new_photo: Path
) -> None:
    shown, photo = {"Authorization": f"Bearer {ADMIN}"}, photo_bytes()
    async with httpx.AsyncClient(headers=shown, timeout=60) as client:
        stored = (await client.post(f"{locked.url}/api/v1/images", files={"file": photo})).json()
    await page.goto(f"{locked.url}/?picture={stored['id']}")
    await page.get_by_test_id("key").fill(await locked.key("read"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("detail-caption")).to_be_visible()
    await expect(page.get_by_test_id("delete")).to_be_hidden()
    await expect(page.get_by_test_id("other-label")).to_be_hidden()
    await page.get_by_test_id("detail-close").click()
    await expect(page.locator(".add")).to_be_hidden()

    await page.locator("input[type=file]").first.set_input_files(new_photo)  # as by dropping it
    await expect(page.get_by_test_id("upload-error")).to_contain_text("may only read; this needs one that may write")


async def test_where_no_key_is_asked_for_nobody_is_asked_to_log_out(page: Page, locked: Locked, tmp_path: Path) -> None:
    port = free_ports(1)[0]
    environment = locked.environment | {"GATEWAY_PORT": str(port), "GATEWAY_ADMIN_KEY_FILE": ""}
    with running("gateway", tmp_path, environment, f"http://127.0.0.1:{port}"):
        await page.goto(f"http://127.0.0.1:{port}")
        await expect(page.locator("html")).to_have_attribute("data-scope", "admin")
        await expect(page.get_by_test_id("theme-switch")).to_be_visible()
        await expect(page.get_by_test_id("log-out")).to_have_count(0)
