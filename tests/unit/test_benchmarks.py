"""Every benchmark can still be imported: the READMEs name them, and nobody runs all of them often."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

BENCHMARKS = sorted((Path(__file__).resolve().parents[1] / "bench").glob("*.py"))


@pytest.mark.parametrize("file", BENCHMARKS, ids=lambda file: file.stem)
def test_a_benchmark_can_be_imported(file: Path) -> None:
    assert import_module(f"tests.bench.{file.stem}").__doc__
