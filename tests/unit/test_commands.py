"""`python -m SERVICE --help` tells what it does and each setting; a wrong setting is told in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from caption_service.settings import CaptionSettings
from classify_service.settings import ClassifySettings
from gateway.settings import GatewaySettings
from shared.settings import START_FAILED_EXIT_CODE, ServiceSettings
from shared.settings_help import default_of, variables
from storage_service.settings import StorageSettings

SETTINGS = {
    "gateway": GatewaySettings,
    "storage_service": StorageSettings,
    "caption_service": CaptionSettings,
    "classify_service": ClassifySettings,
}


def _run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("package", SETTINGS)
def test_help_tells_what_a_service_does_and_each_setting(package: str, tmp_path: Path) -> None:
    told = _run(tmp_path, "-m", package, "--help")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith(f"usage: python -m {package}")
    assert told.stdout.splitlines()[2].endswith(".")
    for variable, field in variables(SETTINGS[package]):
        assert f"  {variable} (default: {default_of(field)})\n      {field.description}\n" in told.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("settings", SETTINGS.values())
def test_every_setting_has_a_description_that_is_a_sentence(settings: type[ServiceSettings]) -> None:
    for variable, field in variables(settings):
        assert field.description, variable
        assert field.description.endswith("."), variable


@pytest.mark.parametrize("package", SETTINGS)
def test_a_wrong_port_ends_the_service_with_one_sentence(package: str, tmp_path: Path) -> None:
    variable = f"{package.removesuffix('_service').upper()}_PORT"
    refused = _run(tmp_path, "-m", package, **{variable: "abc"})
    service = package.removesuffix("_service")
    assert refused.returncode == START_FAILED_EXIT_CODE
    assert refused.stderr == f"{service} cannot start: {variable} is 'abc', but must be a whole number above 0.\n"


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("GATEWAY_PORT", "99999", "a whole number from 1 to 65535"),
        ("GATEWAY_HOST", "", "some text"),
        ("GATEWAY_LOG_LEVEL", "loud", "debug, info, warning or error"),
        ("GATEWAY_CAPTION_URL", "localhost:8001", "http:// or https:// and a host"),
        ("GATEWAY_DECODE_WAITING", "-1", "a whole number of at least 0"),
        ("GATEWAY_MODEL_TIMEOUT_S", "soon", "a number above 0"),
    ],
)
def test_the_sentence_says_what_is_expected(
    variable: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit) as ended:
        GatewaySettings()
    assert ended.value.code == START_FAILED_EXIT_CODE
    assert capsys.readouterr().err == f"gateway cannot start: {variable} is {value!r}, but must be {expected}.\n"


def test_a_setting_without_a_default_must_be_set(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        ServiceSettings()
    assert "PORT is not set; it must be a whole number above 0" in capsys.readouterr().err


def test_a_level_may_be_written_in_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_LOG_LEVEL", "WARNING")
    assert StorageSettings().log_level == "warning"


@pytest.mark.parametrize("module", ["gateway.launch", "storage_service.schema"])
def test_the_other_commands_end_with_the_same_sentence(module: str, tmp_path: Path) -> None:
    code = f"import {module} as command; command.main()"
    refused = _run(tmp_path, "-c", code, GATEWAY_PORT="abc", STORAGE_PORT="abc")
    assert refused.returncode == START_FAILED_EXIT_CODE
    assert "_PORT is 'abc', but must be a whole number above 0" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_page_that_is_not_there_is_told_in_one_sentence(tmp_path: Path) -> None:
    refused = _run(tmp_path, "-m", "gateway", GATEWAY_WEB=str(tmp_path / "nowhere"))
    assert refused.returncode == START_FAILED_EXIT_CODE
    assert "which has no index.html" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_argument_that_there_is_not_is_refused(tmp_path: Path) -> None:
    refused = _run(tmp_path, "-m", "gateway", "--port", "1")
    assert refused.returncode == 2
    assert "unrecognized arguments: --port" in refused.stderr
