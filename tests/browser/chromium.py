"""Where Chromium is on this machine."""

from __future__ import annotations

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
NOT_FOUND = "no Chromium: install it (Debian: apt-get install chromium) or set LEGENDA_TEST_CHROMIUM to its path"


def find_chromium() -> str | None:
    """Return the path of the Chromium to use: LEGENDA_TEST_CHROMIUM, else the one on the PATH."""
    return os.environ.get("LEGENDA_TEST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
