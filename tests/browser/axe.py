"""What axe, which looks for barriers, finds in a page."""

from __future__ import annotations

from playwright.async_api import Page

from tests.live_platform import ROOT

AXE = ROOT / "tests/web/node_modules/axe-core/axe.min.js"
SERIOUS = {"serious", "critical"}
FIND = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations.map(
  ({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(node => node.html + node.failureSummary) }))"""


async def find_nothing(page: Page) -> None:
    """Assert that axe finds nothing serious in both themes, wide and narrow."""
    for width in (1280, 390):
        await page.set_viewport_size({"width": width, "height": 860})
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            found = [each for each in await page.evaluate(FIND) if each["impact"] in SERIOUS]
            assert found == [], f"{width} px, {scheme}"
