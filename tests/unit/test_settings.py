"""Every setting has its line, with its default, in `.env.example`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from caption_service.settings import CaptionSettings
from classify_service.settings import ClassifySettings
from gateway.settings import GatewaySettings
from shared.settings import ServiceSettings
from shared.settings_help import variables
from storage_service.settings import StorageSettings

ROOT = Path(__file__).resolve().parents[2]
SETTING = re.compile(r"#?[A-Z0-9_]+=")
SETTINGS = (GatewaySettings, CaptionSettings, ClassifySettings, StorageSettings)


def _documented() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.removeprefix("#").split("=", 1) for line in lines if SETTING.match(line))


def _defaults(settings: type[ServiceSettings]) -> dict[str, object]:
    return {
        variable: field.get_default(call_default_factory=True, validated_data={})
        for variable, field in variables(settings)
    }


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_setting_is_documented_with_its_default(settings: type[ServiceSettings]) -> None:
    documented = _documented()
    for variable, default in _defaults(settings).items():
        assert variable in documented, f"{variable} is not in .env.example"
        if isinstance(default, Path):
            assert documented[variable] == str(default.relative_to(ROOT) if default.is_absolute() else default)
        elif isinstance(default, int | float):
            assert float(documented[variable]) == default
        else:
            assert documented[variable] == str(default)


@pytest.mark.parametrize("settings", SETTINGS)
def test_above_every_setting_stands_what_help_says_of_it(settings: type[ServiceSettings]) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    for variable, field in variables(settings):
        assert f"# {field.description}\n#{variable}=" in example


def test_nothing_is_documented_that_no_service_reads() -> None:
    read = {variable for settings in SETTINGS for variable in _defaults(settings)}
    for file in ("docker-compose.yml", "docker-compose.gpu.yml"):
        read |= set(re.findall(r"\$\{([A-Z_]+)", (ROOT / file).read_text(encoding="utf-8")))
    assert set(_documented()) <= read


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("CAPTION_PORT=1111\nCAPTION_WAITING=7\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAPTION_PORT", "2222")
    settings = CaptionSettings()
    assert (settings.port, settings.waiting) == (2222, 7)
