"""The rules, alerts and the dashboard: valid, and they ask for nothing that no service tells."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator

import httpx
import pytest
import yaml

from caption_service.app import create_app as create_caption
from caption_service.settings import CaptionSettings
from classify_service.app import create_app as create_classify
from classify_service.settings import ClassifySettings
from gateway.app import create_app as create_gateway
from gateway.settings import GatewaySettings
from storage_service.app import create_app as create_storage
from storage_service.settings import StorageSettings
from tests.live_platform import ROOT

PROMETHEUS, GRAFANA = ROOT / "deploy" / "prometheus", ROOT / "deploy" / "grafana"
NOT_OURS = {"up", "ALERTS"}
WORDS_OF_PROMQL = {
    *(
        "sum",
        "max",
        "max_over_time",
        "avg",
        "absent",
        "rate",
        "delta",
        "clamp_min",
        "histogram_quantile",
        "vector",
        "and",
        "or",
        "by",
    ),
}
APPS = (
    lambda: create_gateway(GatewaySettings()),
    lambda: create_caption(CaptionSettings()),
    lambda: create_classify(ClassifySettings()),
    lambda: create_storage(StorageSettings()),
)


def _promtool(*arguments: str) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; sh tests/prepare.sh does so")
    result = subprocess.run(
        [promtool, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_prometheus_understands_its_files() -> None:
    _promtool("check", "config", "--syntax-only", "prometheus.yml")
    _promtool("check", "rules", "rules.yml", "alerts.yml")


def test_alerts_sound_when_they_should() -> None:
    _promtool("test", "rules", "alerts_test.yml")


async def test_nothing_is_asked_for_that_no_service_tells() -> None:
    told = set(NOT_OURS)
    for create in APPS:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(create()), base_url="http://service") as client:
            metrics = (await client.get("/metrics")).text
        for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", metrics, re.MULTILINE):
            told |= {f"{name}{end}" for end in ("_sum", "_count", "_bucket")} if kind == "histogram" else {name}
    told |= {rule["record"] for rule in _rules("rules.yml")}
    for expression in _expressions():
        assert _metrics_in(expression) <= told, expression
        assert _metrics_in(expression), expression


def test_every_alert_says_how_bad_it_is_and_what_to_do_stands_in_the_operations_page() -> None:
    page = (ROOT / "deploy" / "OPERATIONS.md").read_text(encoding="utf-8")
    alerts = {rule["alert"]: rule for rule in _rules("alerts.yml")}
    for name, rule in alerts.items():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"]
        assert f"| `{name}` |" in page
    assert set(re.findall(r"^\| `([A-Z]\w+)` \|", page, re.MULTILINE)) == set(alerts)


def test_compose_gives_grafana_its_dashboard_and_asks_every_service() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    services = compose["services"]
    of_profile = {name for name, each in services.items() if each.get("profiles") == ["monitoring"]}
    assert of_profile == {"prometheus", "grafana"}
    for name in of_profile:
        for volume in services[name]["volumes"]:
            source = volume.split(":")[0]
            assert (ROOT / source).is_dir() if source.startswith("./") else source in compose["volumes"]
    config = (PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8")
    for name in ("gateway", "caption-service", "classify-service", "storage-service"):
        assert name in config
        assert set(services["prometheus"]["networks"]) & set(services[name]["networks"])
    source = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text())["datasources"][0]
    panels = _dashboard()["panels"]
    assert {panel["datasource"]["uid"] for panel in panels} == {source["uid"]}
    assert len({panel["id"] for panel in panels}) == len(panels)


def _rules(name: str) -> list[dict[str, object]]:
    return yaml.safe_load((PROMETHEUS / name).read_text(encoding="utf-8"))["groups"][0]["rules"]


def _dashboard() -> dict[str, list[dict[str, object]]]:
    return json.loads((GRAFANA / "dashboards" / "legenda.json").read_text(encoding="utf-8"))


def _expressions() -> Iterator[str]:
    for name in ("rules.yml", "alerts.yml"):
        yield from (str(rule["expr"]) for rule in _rules(name))
    for panel in _dashboard()["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    adapter = (ROOT / "deploy" / "kubernetes" / "prometheus-adapter-values.yaml").read_text(encoding="utf-8")
    yield from (rule["seriesQuery"] for rule in yaml.safe_load(adapter)["rules"]["custom"])


def _metrics_in(expression: str) -> set[str]:
    without_labels = re.sub(r"\{[^}]*\}|\[[^]]*\]|\bby\s*\([^)]*\)", " ", expression)
    return set(re.findall(r"[A-Za-z_][A-Za-z_0-9]*", without_labels)) - WORDS_OF_PROMQL
