"""A page whose parts did not all come loads itself once more."""

from __future__ import annotations

from playwright.async_api import Page, Route, expect


async def test_a_module_that_did_not_come_is_asked_for_again(page: Page, live_url: str) -> None:
    refused = 0

    async def refuse_twice(route: Route) -> None:
        nonlocal refused
        refused += 1
        await (route.abort("connectionreset") if refused <= 2 else route.continue_())

    await page.route("**/rows.js", refuse_twice)
    await page.goto(live_url)
    await expect(page.get_by_test_id("theme-switch")).to_be_visible(timeout=30_000)
    assert refused > 2


async def test_one_that_never_comes_is_not_asked_for_for_ever(page: Page, live_url: str) -> None:
    asked = 0

    async def refuse(route: Route) -> None:
        nonlocal asked
        asked += 1
        await route.abort("connectionreset")

    await page.route("**/main.js", refuse)
    await page.goto(live_url)
    await page.wait_for_timeout(9_000)  # all tries with the pauses between them
    after = asked
    assert after >= 5
    await page.wait_for_timeout(3_000)
    assert asked == after
