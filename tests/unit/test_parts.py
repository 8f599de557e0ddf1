"""Each test is in one part of `make test`, and what must be alone is."""

from __future__ import annotations

import itertools
import re
import socket
import subprocess
from pathlib import Path

import pytest

from tests.live_platform import PORTS_EACH, ROOT, free_ports
from tests.parts import ALONE, ON_THEIR_OWN, PARTS, TOGETHER, part_of

FILES = sorted((ROOT / "tests").rglob("test_*.py"))
RUN = ROOT / "tests" / "run.sh"
PYTEST = """#!/bin/sh
case "$*" in *"--part together"*) exit {together} ;; *) echo alone; exit {alone} ;; esac
"""


@pytest.mark.parametrize("place", ON_THEIR_OWN, ids=lambda place: str(place.relative_to(ROOT)))
def test_what_is_named_is_there(place: Path) -> None:
    assert place.exists()


def test_each_part_has_files_and_each_file_a_part() -> None:
    assert {part_of(file) for file in FILES} == set(PARTS)


def test_nothing_runs_beside_all_services_or_looks_at_a_page_beside_other_tests() -> None:
    shared = re.compile(r"\b(running_platform|live_url|Platform,|import Platform|from playwright)\b")
    asking = [file for file in FILES if "containers" not in file.parts and file != Path(__file__)]
    assert [file for file in asking if shared.search(file.read_text("utf-8")) and part_of(file) == TOGETHER] == []


def test_files_that_run_beside_each_other_have_ports_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    ports: list[set[int]] = []
    for worker in ("gw0", "gw1", ""):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
        lately = [port for _ in range(PORTS_EACH // 20) for port in free_ports(4)]
        ports.append(set(lately))
        assert len(ports[-1]) == len(lately)
    assert not set.intersection(*ports)
    assert len(set.union(*ports)) == sum(map(len, ports))


def test_a_port_that_is_taken_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    [port] = free_ports(1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        monkeypatch.setattr("tests.live_platform._TAKEN", itertools.count(port % PORTS_EACH))
        assert port not in free_ports(2)


@pytest.mark.parametrize(
    ("together", "alone", "options", "expected", "goes_on"),
    [
        (0, 0, [], 0, True),
        (1, 0, [], 1, True),
        (0, 1, [], 1, True),
        (1, 5, [], 1, True),
        (5, 0, ["tests/e2e"], 0, True),
        (0, 5, ["tests/unit"], 0, True),
        (5, 5, ["-k", "nothing"], 5, True),
        (1, 0, ["-x"], 1, False),
        (2, 0, [], 2, False),
        (4, 0, ["--wrong"], 4, False),
    ],
)
def test_both_parts_are_run_and_a_failure_of_either_is_told(  # noqa: PLR0917
    together: int, alone: int, options: list[str], expected: int, goes_on: bool, tmp_path: Path
) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTEST.format(together=together, alone=alone))
    python.chmod(0o755)
    ended = subprocess.run(["sh", RUN, *options], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (expected, f"{ALONE}\n" if goes_on else "")
