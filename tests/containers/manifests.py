"""The Kubernetes manifests as kubectl builds them, and what they say of who reaches whom."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.live_platform import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
KUBECTL = Path(sys.executable).with_name("kubectl")
BUILD_TIMEOUT_S = 60
Manifest = dict[str, Any]


@cache
def built(folder: str) -> list[Manifest]:
    """Return what `kubectl kustomize` makes of a folder below deploy/kubernetes."""
    return _build(FOLDER / folder)


def built_example(folder: Path) -> list[Manifest]:
    """Return what it makes of the example, in a copy that has the secrets' files."""
    copy = shutil.copytree(FOLDER, folder / "kubernetes")
    secrets = copy / "example" / "secrets"
    shutil.rmtree(secrets, ignore_errors=True)
    secrets.mkdir()
    for name in ("database_url", "internal_token", "admin_key"):
        (secrets / name).write_text("only-for-this-test")
    return _build(copy / "example")


def _build(folder: Path) -> list[Manifest]:
    result = subprocess.run(
        [KUBECTL, "kustomize", folder], capture_output=True, text=True, timeout=BUILD_TIMEOUT_S, check=False
    )
    assert result.returncode == 0, result.stderr
    assert not result.stderr, result.stderr  # a deprecated field, a patch that meets nothing
    return list(yaml.safe_load_all(result.stdout))


def of_kind(manifests: list[Manifest], *kinds: str) -> dict[str, Manifest]:
    """Return the manifests of some kinds by name."""
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] in kinds}


def may_reach(manifests: list[Manifest], source: str, target: str, port: int) -> bool:
    """Say whether the policies let a pod of one name open a port of another; both sides must allow it."""
    pods = {name: each["spec"]["template"] for name, each in of_kind(manifests, "Deployment", "Job").items()}
    named = {each["name"]: each["containerPort"] for each in _container(pods[target]).get("ports", [])}
    leaves = _rules(manifests, pods[source], "egress")
    enters = _rules(manifests, pods[target], "ingress")
    return any(_meets(rule, "to", pods[target], port, named) for rule in leaves) and any(
        _meets(rule, "from", pods[source], port, named) for rule in enters
    )


def leaves_to_anywhere(manifests: list[Manifest], source: str) -> set[int]:
    """Return the ports that a pod may open at any address, in the cluster or out of it."""
    pod = of_kind(manifests, "Deployment", "Job")[source]["spec"]["template"]
    rules = [rule for rule in _rules(manifests, pod, "egress") if not rule.get("to")]
    return {port["port"] for rule in rules for port in rule["ports"]}


def _rules(manifests: list[Manifest], pod: Manifest, direction: str) -> list[Manifest]:
    policies = [each["spec"] for each in of_kind(manifests, "NetworkPolicy").values()]
    governing = [
        each
        for each in policies
        if direction.capitalize() in each["policyTypes"] and _selects(each["podSelector"], pod)
    ]
    assert governing, f"nothing bounds the {direction} of {pod['metadata']['labels']}"
    return [rule for each in governing for rule in each.get(direction, [])]


def _meets(rule: Manifest, side: str, other: Manifest, port: int, named: dict[str, int]) -> bool:
    peers = rule.get(side)
    ours = [each for each in peers or [] if "namespaceSelector" not in each and "podSelector" in each]
    is_peer = not peers or any(_selects(each["podSelector"], other) for each in ours)
    return is_peer and any(named.get(each["port"], each["port"]) == port for each in rule["ports"])


def _selects(selector: Manifest, pod: Manifest) -> bool:
    labels = pod["metadata"]["labels"]
    assert set(selector) <= {"matchLabels", "matchExpressions"}
    assert all(each["operator"] == "In" for each in selector.get("matchExpressions", []))
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        labels.get(each["key"]) in each["values"] for each in selector.get("matchExpressions", [])
    )


def _container(pod: Manifest) -> Manifest:
    (container,) = pod["spec"]["containers"]
    return container
