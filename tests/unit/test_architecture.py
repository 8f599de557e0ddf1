"""Who may import whom: the rules of the design, read from the code."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICES = {
    "gateway": "gateway",
    "caption-service": "caption_service",
    "classify-service": "classify_service",
    "storage-service": "storage_service",
}
OURS = {"shared", *SERVICES.values()}
PACKAGES = {"shared": ROOT / "shared/src/shared"} | {
    package: ROOT / folder / "src" / package for folder, package in SERVICES.items()
}
OF_THE_MODELS = {"convolution_network", "openvino_network"}
"""Modules that the model services share, and they alone."""
WEB_LIBRARIES = {"fastapi", "starlette", "uvicorn", "httpx", "pydantic_settings"}


def _imports(file: Path) -> set[str]:
    """Return the dotted names that a module imports, wherever it does so."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _modules(package: str, below: str = "") -> list[Path]:
    files = sorted((PACKAGES[package] / below).rglob("*.py"))
    assert files, f"{package} has no modules {below}"
    return files


@pytest.mark.parametrize("package", sorted(OURS))
def test_a_package_imports_only_itself_and_shared(package: str) -> None:
    for file in _modules(package):
        foreign = {name for name in _imports(file) if name.split(".")[0] in OURS - {package, "shared"}}
        assert not foreign, f"{file} imports {foreign}"


def test_shared_imports_nothing_of_ours() -> None:
    for file in _modules("shared"):
        assert not {name for name in _imports(file) if name.split(".")[0] in OURS - {"shared"}}, file


@pytest.mark.parametrize("package", ["caption_service", "classify_service"])
def test_the_model_library_knows_no_web_and_no_settings(package: str) -> None:
    for file in _modules(package, "model"):
        for name in _imports(file):
            assert name.split(".")[0] not in WEB_LIBRARIES | {"os"}, f"{file} imports {name}"
            own_places = (f"{package}.settings", f"{package}.training", f"{package}.app", f"{package}.routes")
            assert not name.startswith(own_places), f"{file} imports {name}"
            if name.startswith("shared."):
                allowed = (
                    "shared.artifacts", "shared.bfloat16", "shared.compute_lock", "shared.convolution_network",
                    "shared.decoding", "shared.gpus", "shared.openvino_network",
                )  # fmt: skip
                assert name.startswith(allowed), f"{file} imports {name}"


@pytest.mark.parametrize("package", ["caption_service", "classify_service"])
def test_serving_never_imports_training(package: str) -> None:
    training = PACKAGES[package] / "training"
    for file in _modules(package):
        if training not in file.parents:
            assert not [name for name in _imports(file) if name.startswith(f"{package}.training")], file


@pytest.mark.parametrize("package", sorted(SERVICES.values()))
def test_importing_an_app_loads_no_tensorflow(package: str) -> None:
    code = (
        f"import sys, {package}.app, {package}.__main__; sys.exit(bool({{'tensorflow', 'keras'}} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0


@pytest.mark.parametrize("package", ["gateway", "storage_service", "shared"])
def test_gateway_and_storage_need_no_tensorflow(package: str) -> None:
    for file in _modules(package):
        assert not {"tensorflow", "keras", "cv2"} & {name.split(".")[0] for name in _imports(file)}, file


@pytest.mark.parametrize("package", ["gateway", "shared"])
def test_only_services_that_compute_need_numpy(package: str) -> None:
    for file in _modules(package):
        if file.stem not in OF_THE_MODELS:
            assert "numpy" not in {name.split(".")[0] for name in _imports(file)}, file


@pytest.mark.parametrize("package", ["gateway", "shared", "storage_service"])
def test_only_the_model_services_have_convolutions(package: str) -> None:
    for file in _modules(package):
        assert not {f"shared.{name}" for name in OF_THE_MODELS} & set(_imports(file)), file


@pytest.mark.parametrize("package", sorted(SERVICES.values()))
def test_every_service_has_the_same_file_names(package: str) -> None:
    for name in ("__main__.py", "app.py", "settings.py", "routes.py"):
        assert (PACKAGES[package] / name).is_file(), f"{package} has no {name}"


def test_nothing_is_named_after_a_catch_all() -> None:
    names = {file.stem for package in sorted(OURS) for file in _modules(package)}
    assert not names & {"utils", "helpers", "manager", "core", "common", "misc"}


def test_modules_stay_small() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for package in sorted(OURS)
        for file in _modules(package)
        if (lines := len(file.read_text(encoding="utf-8").splitlines())) > 250
    }
    assert not long
