"""What tests of several kinds need: the running platform and a real photo."""

from __future__ import annotations

import sqlite3  # noqa: F401  # before TensorFlow, whose library has a SQLite of its own inside, one without full text
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import decoding
from tests.live_platform import ROOT, Platform, running_platform

# The same examples each time, and none refused for the machine being slow.
settings.register_profile(
    "legenda", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("legenda")


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """All services with the shipped models, started once for all tests that ask."""
    with running_platform(tmp_path_factory.mktemp("platform")) as platform:
        yield platform


@pytest.fixture(scope="session")
def live_url(platform: Platform) -> str:
    """Where the running gateway answers."""
    return platform.url


@pytest.fixture(scope="session", autouse=True)
def _decoding_ends() -> Iterator[None]:
    yield
    decoding.end_all()


@pytest.fixture(scope="session")
def photo() -> Path:
    """A real photo: Chelsea the cat (CC0, see web/samples/README.md)."""
    return ROOT / "web" / "samples" / "chelsea.jpg"
