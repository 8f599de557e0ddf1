"""What can be known of the Kubernetes manifests without a cluster."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from caption_service.settings import CaptionSettings
from classify_service.settings import ClassifySettings
from gateway.settings import GatewaySettings
from shared.settings_help import variables
from storage_service.settings import StorageSettings
from tests.containers.manifests import built, built_example, leaves_to_anywhere, may_reach, of_kind
from tests.live_platform import ROOT

FOLDERS = ("base", "overlays/gpu", "overlays/s3")
PORTS = {"gateway": 8000, "caption-service": 8001, "classify-service": 8002, "storage-service": 8003}
BEHIND = ("caption-service", "classify-service", "storage-service")
NOT_OF_KUBERNETES = {"ScaledObject"}
"""Kinds that an operator brings; kubernetes-validate has no schema of them, so a test below reads them."""
SETTINGS = (GatewaySettings, CaptionSettings, ClassifySettings, StorageSettings)


def _pods(folder: str) -> dict[str, dict[str, Any]]:
    return {name: each["spec"]["template"] for name, each in of_kind(built(folder), "Deployment", "Job").items()}


def _container(pod: dict[str, Any]) -> dict[str, Any]:
    (container,) = pod["spec"]["containers"]
    return container


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_manifest_is_strictly_valid(folder: str) -> None:
    _validate(built(folder))


def test_the_example_is_strictly_valid_and_its_pods_read_the_secret_it_makes(tmp_path: Path) -> None:
    manifests = built_example(tmp_path)
    _validate(manifests)
    (secret,) = of_kind(manifests, "Secret")
    assert {each["metadata"]["namespace"] for each in manifests} == {"legenda"}
    for pod in (each["spec"]["template"] for each in of_kind(manifests, "Deployment", "Job").values()):
        named = {each["secret"]["secretName"] for each in pod["spec"]["volumes"] if "secret" in each}
        read = {each["valueFrom"]["secretKeyRef"]["name"] for each in _container(pod)["env"] if "valueFrom" in each}
        assert named | read == {secret}
        assert _container(pod)["image"].startswith("registry.example/legenda-")


def _validate(manifests: list[dict[str, Any]]) -> None:
    for each in manifests:
        if each["kind"] not in NOT_OF_KUBERNETES:
            kubernetes_validate.validate(each, "1.37", strict=True)


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_pod_is_root_or_can_write_its_root_or_gain_a_right(folder: str) -> None:
    pods = _pods(folder)
    assert set(pods) == {*PORTS, "storage-migrate"}
    for name, pod in pods.items():
        spec, container = pod["spec"], _container(pod)
        service = name if name in PORTS else "storage-service"
        dockerfile = (ROOT / service / "Dockerfile").read_text()
        uid = int(re.search(r"^USER (\d+)$", dockerfile, re.MULTILINE)[1])  # type: ignore[index]
        assert (spec["securityContext"]["runAsUser"], spec["securityContext"]["fsGroup"]) == (uid, uid)
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False  # else GATEWAY_PORT is tcp://…, and no service starts


@pytest.mark.parametrize("folder", FOLDERS)
def test_probes_ask_what_the_service_answers_where_it_listens(folder: str) -> None:
    manifests = built(folder)
    for name, deployment in of_kind(manifests, "Deployment").items():
        container = _container(deployment["spec"]["template"])
        dockerfile = (ROOT / name / "Dockerfile").read_text()
        assert container["ports"] == [{"name": "http", "containerPort": PORTS[name]}]
        assert f"\nEXPOSE {PORTS[name]}\n" in dockerfile
        paths = {probe: container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")}
        assert paths == {"startup": "/health/live", "liveness": "/health/live", "readiness": "/health/ready"}
        assert {container[f"{probe}Probe"]["httpGet"]["port"] for probe in paths} == {"http"}
        service = of_kind(manifests, "Service")[name]["spec"]
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert service["selector"].items() <= labels.items()
        assert service["ports"][0]["port"] == PORTS[name]
        annotations = deployment["spec"]["template"]["metadata"]["annotations"]
        assert annotations["prometheus.io/port"] == str(PORTS[name])


@pytest.mark.parametrize("folder", FOLDERS)
def test_only_the_gateway_reaches_models_and_storage_and_only_storage_mysql(folder: str) -> None:
    manifests = built(folder)
    for target in BEHIND:
        reach = {name for name in _pods(folder) if name != target and may_reach(manifests, name, target, PORTS[target])}
        assert reach == {"gateway"}, target
        assert not may_reach(manifests, "gateway", target, 22)
    assert not any(may_reach(manifests, name, "gateway", PORTS["gateway"]) for name in BEHIND)
    outside = {name: leaves_to_anywhere(manifests, name) for name in _pods(folder)}
    bucket = {443} if folder == "overlays/s3" else set()
    assert outside == {
        "gateway": set(),
        "caption-service": set(),
        "classify-service": set(),
        "storage-service": {3306} | bucket,
        "storage-migrate": {3306},
    }


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_setting_is_one_that_its_service_reads(folder: str) -> None:
    read = {variable for settings in SETTINGS for variable, _ in variables(settings)}
    maps = of_kind(built(folder), "ConfigMap").values()
    named = {each["name"] for pod in _pods(folder).values() for each in _container(pod)["env"]}
    named |= {name for each in maps for name in each["data"]}
    ours = {name for name in named if name.startswith(("GATEWAY_", "CAPTION_", "CLASSIFY_", "STORAGE_"))}
    assert {name for name in ours if not name.endswith("_FILE")} <= read
    assert "STORAGE_DATABASE_URL" in ours


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_service_is_scaled_by_one_thing_and_some_of_it_stays_while_nodes_are_drained(folder: str) -> None:
    manifests = built(folder)
    deployments = of_kind(manifests, "Deployment")
    scaled = [
        each["spec"]["scaleTargetRef"]["name"]
        for each in manifests
        if each["kind"] in {"HorizontalPodAutoscaler", "ScaledObject"}
    ]
    assert sorted(scaled) == ["caption-service", "classify-service"]
    assert {name for name, each in deployments.items() if "replicas" not in each["spec"]} == set(scaled)
    budgets = of_kind(manifests, "PodDisruptionBudget")
    assert set(budgets) == set(deployments)
    for name, budget in budgets.items():
        alone = deployments[name]["spec"].get("replicas") == 1
        assert ("maxUnavailable" if alone else "minAvailable") in budget["spec"], name


def test_on_gpus_each_pod_has_one_and_keda_asks_prometheus_for_the_recorded_wait() -> None:
    manifests = built("overlays/gpu")
    container = _container(_pods("overlays/gpu")["caption-service"])
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert container["image"] == "legenda-caption-service:gpu"
    spec = of_kind(manifests, "ScaledObject")["caption-service"]["spec"]
    assert set(spec) <= {
        *("scaleTargetRef", "minReplicaCount", "maxReplicaCount", "pollingInterval", "cooldownPeriod"),
        *("fallback", "triggers"),
    }
    (trigger,) = spec["triggers"]
    assert (trigger["type"], set(trigger["metadata"])) == ("prometheus", {"serverAddress", "query", "threshold"})
    assert all(isinstance(value, str) for value in trigger["metadata"].values())
    assert "legenda_queue_seconds" in trigger["metadata"]["query"]


def test_with_a_bucket_storage_is_several_and_claims_no_volume() -> None:
    manifests = built("overlays/s3")
    storage = of_kind(manifests, "Deployment")["storage-service"]["spec"]
    assert not of_kind(manifests, "PersistentVolumeClaim")
    assert (storage["replicas"], storage["strategy"]["type"]) == (2, "RollingUpdate")
    assert of_kind(built("base"), "Deployment")["storage-service"]["spec"]["strategy"] == {"type": "Recreate"}
    pod = storage["template"]["spec"]
    mounts = {each["mountPath"] for each in _container(storage["template"])["volumeMounts"]}
    assert mounts == {"/tmp", "/data/index", "/run/secrets/legenda"}
    assert {each["name"] for each in pod["volumes"]} == {"tmp", "index", "secrets"}
    (bucket,) = of_kind(manifests, "ConfigMap").values()
    assert bucket["data"]["STORAGE_STORE_URL"].startswith("s3://")
