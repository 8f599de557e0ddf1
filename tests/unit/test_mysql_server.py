"""Which MySQL the tests run on, and what they say when there is none."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests import mysql_server
from tests.mysql_server import NoServer, started


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that is the whole PATH of a machine without MySQL."""
    monkeypatch.delenv(mysql_server.URL_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(mysql_server, "PLACES", ())
    return tmp_path


def _program(folder: Path, name: str, script: str = "exit 0") -> Path:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


def test_a_server_that_is_named_is_used_and_none_is_started(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(bare_machine, "mysqld", "exit 1")
    monkeypatch.setenv(mysql_server.URL_VARIABLE, "mysql+asyncmy://somewhere")
    with mysql_server.mysql_server() as server:
        assert (server.url, server.origin) == ("mysql+asyncmy://somewhere", "named by LEGENDA_TEST_MYSQL_URL")


def test_without_any_server_the_reason_says_what_is_missing(bare_machine: Path) -> None:
    with pytest.raises(NoServer, match="neither mysqld nor mariadbd is installed"), mysql_server.mysql_server():
        pass


def test_mysql_is_preferred_to_mariadb(bare_machine: Path) -> None:
    mariadb = _program(bare_machine, "mariadbd")
    assert mysql_server.installed_program() == mariadb
    mysql = _program(bare_machine, "mysqld")
    assert mysql_server.installed_program() == mysql


def test_a_server_that_does_not_start_is_told_with_its_own_words(tmp_path: Path) -> None:
    broken = _program(tmp_path, "mysqld", 'case "$*" in *--port*) echo "[ERROR] no space left"; exit 1;; esac')
    with pytest.raises(NoServer, match=r"mysqld does not start: \[ERROR\] no space left"), started(broken, tmp_path):
        pass
