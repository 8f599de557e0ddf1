"""A command whose packages are not installed says what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shared.console import command


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "a_command", raising=False)
    return tmp_path / "a_command.py"


def test_a_command_is_its_modules_main(module: Path) -> None:
    module.write_text("def main():\n    return 7\n")
    assert command("a_command")() == 7


@pytest.mark.parametrize(
    "body", ["import not_there\n", "def main():\n    from not_there.deeper import it\n"], ids=["at import", "in main"]
)
def test_what_is_not_installed_is_told_in_one_sentence(module: Path, body: str) -> None:
    module.write_text(body)
    with pytest.raises(SystemExit) as ended:
        command("a_command")()
    assert "not_there is not installed" in str(ended.value)
    assert "`make setup` installs" in str(ended.value)


def test_a_module_of_our_own_that_is_missing_is_a_fault() -> None:
    with pytest.raises(ModuleNotFoundError):
        command("shared.not_there")()
