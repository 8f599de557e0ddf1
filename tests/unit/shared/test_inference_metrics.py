"""What a model does is counted under Triton's names."""

from __future__ import annotations

import asyncio
import re

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from shared.contracts import ModelName
from shared.errors import BrokenImage, DeadlineExceeded, Overloaded
from shared.inference_metrics import InferenceMetrics


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> InferenceMetrics:
    return InferenceMetrics(registry, ModelName(name="eye", version="2"))


def _told(registry: CollectorRegistry, name: str, more: str = "") -> float:
    line = re.search(
        rf'^{name}{{model="eye",{more}version="2"}} (.+)$', generate_latest(registry).decode(), re.MULTILINE
    )
    assert line, name
    return float(line[1])


def test_an_answered_request_counts_once_with_the_time_of_each_stage(
    registry: CollectorRegistry, metrics: InferenceMetrics
) -> None:
    with metrics.request() as asked:
        assert _told(registry, "nv_inference_pending_request_count") == 1
        with asked.stage("compute_input"):
            assert _told(registry, "nv_inference_pending_request_count") == 1  # it still waits for the model
        with metrics.run([asked]):
            assert _told(registry, "nv_inference_pending_request_count") == 0
            sum(range(100_000))
        with asked.stage("compute_output"):
            pass
    assert [_told(registry, f"nv_inference_{name}") for name in ("request_success", "count", "exec_count")] == [1, 1, 1]
    stages = ("queue", "compute_input", "compute_infer", "compute_output")
    spent_us = {name: _told(registry, f"nv_inference_{name}_duration_us") for name in stages}
    assert spent_us["compute_infer"] > spent_us["compute_output"] >= 0
    assert sum(spent_us.values()) <= _told(registry, "nv_inference_request_duration_us") + len(stages)


def test_requests_that_ran_together_are_one_run_and_its_size_is_told(
    registry: CollectorRegistry, metrics: InferenceMetrics
) -> None:
    with metrics.request() as one, metrics.request() as other, metrics.run([one, other]):
        pass
    with metrics.request() as failing, pytest.raises(MemoryError), metrics.run([failing] * 8):
        raise MemoryError
    assert [_told(registry, f"nv_inference_{name}") for name in ("count", "exec_count")] == [3, 1]
    told = generate_latest(registry).decode()
    assert 'inference_batch_images_bucket{le="1.0"} 0.0' in told
    assert 'inference_batch_images_bucket{le="2.0"} 1.0' in told
    assert "inference_batch_images_sum 2.0" in told


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Overloaded("full"), "REJECTED"),
        (DeadlineExceeded("late"), "CANCELED"),
        (asyncio.CancelledError(), "CANCELED"),
        (BrokenImage("broken"), "OTHER"),
        (RuntimeError("bug"), "BACKEND"),
    ],
)
def test_a_request_that_fails_says_why_and_waits_no_more(
    registry: CollectorRegistry, metrics: InferenceMetrics, error: BaseException, reason: str
) -> None:
    with pytest.raises(type(error)), metrics.request():
        raise error
    failures = {
        name: _told(registry, "nv_inference_request_failure", f'reason="{name}",')
        for name in ("REJECTED", "CANCELED", "OTHER", "BACKEND")
    }
    assert failures == dict.fromkeys(failures, 0.0) | {reason: 1.0}
    assert _told(registry, "nv_inference_request_success") == 0
    assert _told(registry, "nv_inference_pending_request_count") == 0
