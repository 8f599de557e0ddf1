"""What tests of several kinds need: the running platform, a browser and a real photo."""

from __future__ import annotations

import os
import sqlite3  # noqa: F401  # before TensorFlow, whose library has a SQLite of its own inside, one without full text
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2  # noqa: F401  # before usearch: loaded first, it leaves x265 unable to write the tests' HEIC pictures
import pytest
from hypothesis import HealthCheck, settings

from tests import decoding
from tests.browser.chromium import NOT_FOUND, find_chromium
from tests.live_platform import ROOT, Platform, running_platform
from tests.mysql_server import MySqlServer, NoServer, mysql_server, version_of
from tests.parts import pytest_addoption, pytest_collection_modifyitems, pytest_ignore_collect  # noqa: F401  # hooks

TESTED_ON = pytest.StashKey[str]()
TOLD_BY_WORKERS = "tested_on"


@pytest.fixture(scope="session")
def mysql(pytestconfig: pytest.Config) -> Iterator[MySqlServer]:
    """A MySQL to make databases on; what needs it is skipped where there is none."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(mysql_server())
        except NoServer as reason:
            pytest.skip(f"no MySQL: {reason}")
        pytestconfig.stash[TESTED_ON] = f"{version_of(server)}, {server.origin}"
        yield server


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let one of several workers tell who reports for all."""
    if TESTED_ON in session.config.stash and hasattr(session.config, "workeroutput"):
        session.config.workeroutput[TOLD_BY_WORKERS] = session.config.stash[TESTED_ON]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Hear what a worker tells."""
    if tested_on := getattr(node, "workeroutput", {}).get(TOLD_BY_WORKERS):
        node.config.stash[TESTED_ON] = tested_on


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say on which MySQL the tests ran."""
    if TESTED_ON in config.stash:
        terminalreporter.write_line(f"Besides SQLite, storage was tested on {config.stash[TESTED_ON]}.")


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


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the Chromium to use, see `find_chromium`."""
    found = find_chromium()
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(NOT_FOUND)
        pytest.skip(NOT_FOUND)
    return found


@pytest.fixture(scope="session")
def installed_openvino() -> None:
    """OpenVINO is optional: what needs it is skipped where it is not installed, and fails in CI."""
    if find_spec("openvino") is None:
        reason = "OpenVINO is not installed; `make openvino` installs it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session", autouse=True)
def _decoding_ends() -> Iterator[None]:
    yield
    decoding.end_all()


@pytest.fixture(scope="session")
def photo() -> Path:
    """A real photo: Chelsea the cat (CC0, see web/samples/README.md)."""
    return ROOT / "web" / "samples" / "chelsea.jpg"
