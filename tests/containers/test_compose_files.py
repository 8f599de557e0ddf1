"""What can be known of the container files without an engine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import yaml

from gateway.keys import id_of
from gateway.settings import GatewaySettings
from tests.live_platform import ROOT


def test_the_gpu_images_get_the_version_of_tensorflow_that_the_others_have() -> None:
    pinned = re.search(r"^tensorflow[_-]cpu==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    on_gpu = re.search(r"tensorflow\[and-cuda\]==(\S+)", (ROOT / "docker-compose.gpu.yml").read_text())
    assert pinned
    assert on_gpu
    assert on_gpu[1] == pinned[1]


def test_both_model_services_share_the_layer_of_tensorflow() -> None:
    assert _until_tensorflow("caption-service") == _until_tensorflow("classify-service")


def _until_tensorflow(folder: str) -> list[str]:
    lines = (ROOT / folder / "Dockerfile").read_text(encoding="utf-8").splitlines()
    steps = [line for line in lines if not line.startswith("#")]
    return steps[: steps.index("COPY shared/pyproject.toml shared/")]


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    command = ["sh", str(ROOT / "deploy" / "make-secrets.sh"), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    made = {file: file.read_text() for file in (tmp_path / "secrets").iterdir()}
    subprocess.run(command, check=True, capture_output=True, timeout=60)

    assert {file: file.read_text() for file in made} == made
    assert {file.name for file in made} == {"admin_key", "internal_token", "mysql_password"}
    assert id_of((tmp_path / "secrets" / "admin_key").read_text().strip())
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    settings = GatewaySettings(
        host="0.0.0.0",
        admin_key_file=str(tmp_path / "secrets" / "admin_key"),
        internal_token_file=str(tmp_path / "secrets" / "internal_token"),
    )
    assert (settings.asks_for_keys, settings.unguarded, len(settings.shown_token)) == (True, None, 64)


def test_a_password_of_an_older_version_is_kept(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GATEWAY_PORT=8000\nLEGENDA_MYSQL_PASSWORD=chosen before\n")
    subprocess.run(
        ["sh", str(ROOT / "deploy" / "make-secrets.sh"), str(tmp_path)], check=True, capture_output=True, timeout=60
    )
    assert (tmp_path / "secrets" / "mysql_password").read_text() == "chosen before\n"


def test_every_service_in_a_container_has_the_token_and_only_the_gateway_the_key() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    own = {name: service for name, service in services.items() if service["image"].startswith("legenda-")}
    assert {name for name, service in own.items() if "admin_key" in service["secrets"]} == {"gateway"}
    for service in own.values():
        assert "internal_token" in service["secrets"]
        assert service["environment"]["LEGENDA_INTERNAL_TOKEN_FILE"] == "/run/secrets/internal_token"
