"""What can be known of the container files without an engine."""

from __future__ import annotations

import re

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
