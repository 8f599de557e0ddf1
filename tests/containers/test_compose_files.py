"""What can be known of the container files without an engine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
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
    assert {file.name for file in made} == {"admin_key", "internal_token", "mysql_password", "s3_secret_access_key"}
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


def _services() -> dict[str, dict[str, Any]]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]


def test_only_the_gateway_and_the_dashboard_are_published_and_only_on_this_machine() -> None:
    published = {name: service["ports"] for name, service in _services().items() if "ports" in service}
    assert set(published) == {"gateway", "grafana"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


@pytest.mark.parametrize("name", _services())
def test_a_container_gains_no_right_bounds_its_log_and_has_one_version_of_others_images(name: str) -> None:
    service = _services()[name]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"] == {"driver": "local", "options": {"max-size": "10m", "max-file": "3"}}
    if not service["image"].startswith("legenda-"):
        assert re.fullmatch(r"[\w/]+:v?\d[\w.]+", service["image"])
    told = service.get("environment", {}) | {"MYSQL_RANDOM_ROOT_PASSWORD": None}  # which is only whether to make one
    assert [each for each in told if each.endswith(("PASSWORD", "SECRET", "TOKEN", "_ACCESS_KEY")) and told[each]] == []


def test_the_bucket_is_started_by_its_profile_alone_and_storage_waits_for_it() -> None:
    services = _services()
    assert {name for name, service in services.items() if "s3" in service.get("profiles", [])} == {"s3", "s3-bucket"}
    assert services["storage-service"]["depends_on"]["s3-bucket"] == {
        "condition": "service_completed_successfully",
        "required": False,  # without the profile there is none
    }
    assert services["s3-bucket"]["depends_on"] == {"s3": {"condition": "service_healthy"}}
    assert {name for name, service in services.items() if "bucket" in service.get("networks", [])} == {
        "s3", "s3-bucket", "storage-service"
    }  # fmt: skip
    settings = services["storage-service"]["environment"]
    assert settings["STORAGE_STORE_URL"] == "${LEGENDA_STORE_URL:-file:///data/store}"
    assert settings["STORAGE_S3_ACCESS_KEY_ID"] == services["s3"]["environment"]["AWS_ACCESS_KEY_ID"]
    assert "s3_secret_access_key" in services["s3"]["secrets"]
