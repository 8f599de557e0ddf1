"""Nothing here fetches a URL that a stranger names: where requests go is decided by settings alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVING = sorted(
    file
    for folder in ("shared", "gateway", "caption-service", "classify-service", "storage-service")
    for file in (ROOT / folder / "src").rglob("*.py")
    if "training" not in file.parts
)
FETCHING = {"requests", "urllib3", "aiohttp", "ftplib", "urllib.request", "http.client", "socket", "webbrowser"}
MAY = {
    "shared/src/shared/app.py": {"socket"},  # listens
    "shared/src/shared/serving.py": {"socket"},  # listens no more
    "shared/src/shared/http_connections.py": {"aiohttp"},  # of the one client below
    "gateway/src/gateway/decoding_channel.py": {"socket"},  # a pair without an address, to a process of its own
    "gateway/src/gateway/launch.py": {"socket", "http.client"},  # starts the services and asks them whether they are up
}
CALLS_WITH_HTTPX = {"shared/src/shared/http_client.py", "gateway/src/gateway/launch.py"}
"""The one client of our services, with the base URL of a setting, and the launcher."""


def _name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def _imports(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("file", SERVING, ids=_name)
def test_no_module_that_serves_can_fetch_a_url(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert not (_imports(tree) & FETCHING) - MAY.get(_name(file), set())
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    fetches = {f"httpx.{name}" for name in ("get", "post", "request", "stream", "AsyncClient", "Client")}
    assert not calls & fetches or _name(file) in CALLS_WITH_HTTPX
