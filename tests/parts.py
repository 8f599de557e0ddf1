"""The two parts of `make test`: what runs two at a time, file by file, and what has the machine to itself.

A test that measures a time, a ratio or memory, that looks for a deadline to be kept, or that has all services up, runs
in the second part: another test beside it would be what it measures. Every other test owns what it uses (ports,
folders, databases, buckets), so a file may run beside any other.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live_platform import ROOT

TOGETHER, ALONE = "together", "alone"
PARTS = (TOGETHER, ALONE)
ON_THEIR_OWN = tuple(
    ROOT / "tests" / place
    for place in (
        "browser",
        "e2e",
        "integration/gateway",
        "integration/shared",
        "integration/storage/test_mysql_away.py",
        "integration/storage/test_sqlite_away.py",
        "integration/storage/test_store_failures.py",
    )
)
"""Folders and files of the second part."""


def part_of(file: Path) -> str:
    """Return the part that a test file belongs to."""
    return ALONE if any(file.is_relative_to(place) for place in ON_THEIR_OWN) else TOGETHER


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run keep to one of the parts; without the option it is both."""
    parser.addoption("--part", choices=PARTS, help="run only the tests that may run together, or only the others")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import the other part's files."""
    part = config.getoption("--part")
    if part is None or collection_path.suffix != ".py":
        return None
    return True if part_of(collection_path) != part else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the other part's tests where their file is named on the command line."""
    if (part := config.getoption("--part")) is None:
        return
    others = [item for item in items if part_of(item.path) != part]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if part_of(item.path) == part]
