"""How quick the page is, measured by the browser itself: first paint, shifts, the script it fetches, and its tasks.

A task counts by the processor's time on the page's main thread, so that other work on the machine does not count.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass

from playwright.async_api import Browser, Page, Response

CATEGORIES = ["-*", "toplevel", "disabled-by-default-devtools.timeline", "devtools.timeline", "__metadata"]
SCROLLS = 40
OBSERVE = """
window.shifted = 0;
new PerformanceObserver(list => { for (const one of list.getEntries()) if (!one.hadRecentInput) shifted += one.value; })
  .observe({ type: "layout-shift", buffered: true });
"""


@dataclass(frozen=True)
class Visit:
    """What one visit of a gallery came to."""

    first_paint_ms: float
    first_picture_ms: float
    shifted: float
    script_bytes: int
    """Of all JavaScript, each file compressed as gzip does."""
    longest_task_ms: float
    """While it is scrolled and jumped through."""
    in_the_page: int
    """Most elements while scrolling."""


async def visit(browser: Browser, url: str) -> Visit:
    """Open a gallery in a fresh window, wheel and jump through it, and leave it."""
    context = await browser.new_context(viewport={"width": 1280, "height": 860})
    page = await context.new_page()
    scripts: list[Response] = []
    page.on("response", lambda response: scripts.append(response) if response.url.endswith(".js") else None)
    await page.add_init_script(OBSERVE)
    await page.goto(url)
    await page.get_by_test_id("picture").first.wait_for()
    await page.locator("[data-testid=picture] img").first.evaluate("image => image.decode()")
    first_picture_ms = float(await page.evaluate("performance.now()"))
    paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    first_paint_ms = float(await page.evaluate(paint))
    await page.wait_for_load_state("networkidle")
    await browser.start_tracing(page=page, categories=CATEGORIES)
    in_the_page = await _scroll(page)
    trace = json.loads(await browser.stop_tracing())
    measured = Visit(
        first_paint_ms=first_paint_ms,
        first_picture_ms=first_picture_ms,
        shifted=float(await page.evaluate("shifted")),
        script_bytes=sum([len(gzip.compress(await script.body())) for script in scripts]),
        longest_task_ms=_longest_task_ms(trace["traceEvents"]),
        in_the_page=in_the_page,
    )
    await context.close()
    return measured


async def _scroll(page: Page) -> int:
    """Turn the wheel, jump far, and turn it again; return the most elements that were in the page."""
    await page.mouse.move(600, 500)
    most = 0
    for turn in range(SCROLLS):
        if turn % 10 == 9:
            share = (turn * 7 % SCROLLS) / SCROLLS
            await page.evaluate("share => scrollTo(0, document.documentElement.scrollHeight * share)", share)
        await page.mouse.wheel(0, 600)
        await page.evaluate("new Promise(requestAnimationFrame)")
        most = max(most, int(await page.evaluate("document.getElementsByTagName('*').length")))
    return most


def _longest_task_ms(events: list[dict[str, object]]) -> float:
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"] == {"name": "CrRendererMain"}
    }
    tasks = [event for event in events if event["name"] == "RunTask" and (event["pid"], event["tid"]) in main]
    if not tasks:
        raise ValueError("the browser told of no task")
    return max(float(str(task.get("tdur", task.get("dur", 0)))) for task in tasks) / 1000
