"""Where a model comes from, as its manifest tells it: when it was made, and by which commit of the training code."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

Origin = dict[str, str]
"""The manifest's fields `version`, `created` and `commit`."""


def origin() -> Origin:
    """Return the origin of a model that is made now."""
    now = datetime.now(UTC)
    return {
        "version": now.strftime("%Y.%m.%d"),
        "created": now.isoformat(timespec="seconds"),
        "commit": _commit(),
    }


def _commit() -> str:
    """Return the commit that the training code stands at, or `unknown` outside of a checkout."""
    try:
        command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return "unknown"
