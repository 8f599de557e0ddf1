"""Which fonts this machine has: a page in handwriting without a handwriting font would be a printed page."""

from __future__ import annotations

import shutil
import subprocess

FC_LIST_TIMEOUT_S = 60.0


class NoFonts(Exception):
    """A label cannot be drawn with the fonts that are installed."""


def installed(families: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the font families that are installed, in their order; none where fontconfig is missing."""
    command = shutil.which("fc-list")
    if command is None:
        return ()
    listed = subprocess.run(  # noqa: S603 - a fixed command without anyone's words in it
        [command, "--format", "%{family}\n"], capture_output=True, text=True, timeout=FC_LIST_TIMEOUT_S, check=True
    )
    names = {name for line in listed.stdout.splitlines() for name in line.split(",")}
    return tuple(family for family in families if family in names)
