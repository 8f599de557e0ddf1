"""Measure the page with a hundred thousand pictures, in a real browser: first paint, shifts, and its longest task.

    python -m tests.bench.scrolling --rows 100000

The rows are written straight into storage's tables; gateway and storage run without models.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright

from tests.browser.conftest import QUIET
from tests.browser.large_gallery import large_gallery
from tests.browser.quickness import Visit, visit


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.scrolling",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--visits", type=int, default=5)
    parser.add_argument("--chromium", default=shutil.which("chromium") or "chromium")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="legenda-scrolling-") as folder,
        large_gallery(Path(folder), options.rows) as url,
    ):
        visits = asyncio.run(_visits(options.chromium, url, options.visits))
    print(f"{options.rows:,} pictures, {options.visits} visits, each value from the least to the most:")
    for name in Visit.__dataclass_fields__:
        values = sorted(getattr(each, name) for each in visits)
        print(f"{name:<18}{'  '.join(f'{value:,.3f}' for value in values)}")


async def _visits(chromium: str, url: str, count: int) -> list[Visit]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        visits = [await visit(browser, url) for _ in range(count)]
        await browser.close()
    return visits


if __name__ == "__main__":
    main()
