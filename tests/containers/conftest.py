"""Building and starting all containers takes minutes and a Docker engine, so only LEGENDA_TEST_DOCKER=1 asks for it."""

from __future__ import annotations

import os

NEED_AN_ENGINE = ["test_bucket_containers.py", "test_running_containers.py", "test_surviving_containers.py"]

collect_ignore = [] if os.environ.get("LEGENDA_TEST_DOCKER") else NEED_AN_ENGINE
