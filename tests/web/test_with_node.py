"""The page's own tests run in node: `node --test tests/web`, each file of it here as one test."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
OLDEST = (20, 19)
"""From there on node sees by itself that a file is a module."""


@pytest.fixture(scope="module")
def node() -> str:
    """Path of node, where it is new enough."""
    found = shutil.which("node")
    version = subprocess.check_output([found, "--version"], text=True) if found else "v0.0"
    if found is None or tuple(map(int, version.strip("v\n").split(".")))[:2] < OLDEST:
        reason = f"node {'.'.join(map(str, OLDEST))} or later is needed; found {version.strip() if found else 'none'}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.mark.parametrize("file", sorted(file.name for file in HERE.glob("*.test.js")))
def test_it_passes_in_node(node: str, file: str) -> None:
    ran = subprocess.run([node, "--test", HERE / file], check=False, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "# pass 0" not in ran.stdout
