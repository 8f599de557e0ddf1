"""A GPU is looked for among the system's devices."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.gpus import shows_gpu


@pytest.mark.parametrize(
    ("device", "is_gpu"), [("nvidia0", True), ("dxg", True), ("kfd", True), ("nvidiactl", False), ("null", False)]
)
def test_a_gpu_is_known_by_its_device(device: str, is_gpu: bool, tmp_path: Path) -> None:
    (tmp_path / device).touch()
    assert shows_gpu(tmp_path) is is_gpu
