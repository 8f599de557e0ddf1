"""Count what a model does, under the names and labels of NVIDIA Triton, so that dashboards made for it fit.

Exactly Triton's names, `nv_` and microseconds included, where they mean the same; they are told as `untyped`, because
Prometheus' client would put `_total` behind the name of every counter. Our own histograms, in seconds, stand beside.

Source: Triton Inference Server, user guide, metrics.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Literal

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric, UnknownMetricFamily
from prometheus_client.registry import Collector

from shared.contracts import ModelName
from shared.errors import DeadlineExceeded, Overloaded, ServiceError

Stage = Literal["compute_input", "compute_infer", "compute_output"]
Reason = Literal["REJECTED", "CANCELED", "BACKEND", "OTHER"]
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)
REASONS: tuple[Reason, ...] = ("REJECTED", "CANCELED", "BACKEND", "OTHER")

_COUNTS = {
    "success": "Requests that a model answered.",
    "count": "Images that went through a model.",
    "exec_count": "Times that a model was run; images by runs is the batch size.",
    "request_duration_us": "Time from asking to the answer, all successful requests together.",
    "queue_duration_us": "Time that they waited: for a thread to decode them, and for the model.",
    "compute_input_duration_us": "Time to decode and prepare images.",
    "compute_infer_duration_us": "Time in the model.",
    "compute_output_duration_us": "Time to put answers into words.",
}


class InferenceMetrics(Collector):
    """What one model has done since the service started."""

    def __init__(self, registry: CollectorRegistry, model: ModelName) -> None:
        self._labels = [model.name, model.version]
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(_COUNTS, 0)
        self._failures: dict[Reason, int] = dict.fromkeys(REASONS, 0)
        self._pending = 0
        self._batch = Histogram(
            "inference_batch_images", "Images of a run of the model.", registry=registry, buckets=BATCH_SIZES
        )
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Tell everything; called at each `/metrics`."""
        with self._lock:
            counts, failures, pending = dict(self._counts), dict(self._failures), self._pending
        for name, value in counts.items():
            prefix = "nv_inference_request_" if name == "success" else "nv_inference_"
            told = UnknownMetricFamily(prefix + name, _COUNTS[name], labels=["model", "version"])
            told.add_metric(self._labels, value)
            yield told
        failed = UnknownMetricFamily(
            "nv_inference_request_failure",
            "Requests that a model did not answer.",
            labels=["model", "version", "reason"],
        )
        for reason, value in failures.items():
            failed.add_metric([*self._labels, reason], value)
        yield failed
        waiting = GaugeMetricFamily(
            "nv_inference_pending_request_count", "Requests that wait for the model.", labels=["model", "version"]
        )
        waiting.add_metric(self._labels, pending)
        yield waiting

    @contextmanager
    def request(self) -> Iterator[InferenceRequest]:
        """Count one request for one image, from here to the end of the block; how it ends decides as what."""
        request = InferenceRequest(self)
        with self._lock:
            self._pending += 1
        try:
            yield request
        except BaseException as error:
            self.begun(request)
            with self._lock:
                self._failures[_reason(error)] += 1
            raise
        self.begun(request)
        with self._lock:
            self._counts["success"] += 1
            self._counts["count"] += 1
            self._counts["request_duration_us"] += _us(time.perf_counter() - request.asked_s)
            for name, spent_s in request.spent_s.items():
                self._counts[f"{name}_duration_us"] += _us(spent_s)

    @contextmanager
    def run(self, requests: Sequence[InferenceRequest]) -> Iterator[None]:
        """Time one run of the model for these requests, and count it if it ends well."""
        with ExitStack() as stages:
            for request in requests:
                stages.enter_context(request.stage("compute_infer"))
            yield
        self._batch.observe(len(requests))
        with self._lock:
            self._counts["exec_count"] += 1

    def begun(self, request: InferenceRequest) -> None:
        """Note that a request waits no more: its work has begun, or it was given up."""
        with self._lock:
            if request.is_waiting:
                request.is_waiting = False
                self._pending -= 1


class InferenceRequest:
    """One image on its way through a model; its stages may be timed on another thread."""

    def __init__(self, metrics: InferenceMetrics) -> None:
        self._metrics = metrics
        self.asked_s = self._waits_since_s = time.perf_counter()
        self.is_waiting = True
        self.spent_s: dict[str, float] = {}

    @contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        """Time one stage, and as queueing what passed since the one before; the model's ends the waiting."""
        started_s = time.perf_counter()
        self._add("queue", started_s - self._waits_since_s)
        if name == "compute_infer":
            self._metrics.begun(self)
        try:
            yield
        finally:
            self._waits_since_s = time.perf_counter()
            self._add(name, self._waits_since_s - started_s)

    def _add(self, name: str, spent_s: float) -> None:
        self.spent_s[name] = self.spent_s.get(name, 0.0) + spent_s


def _reason(error: BaseException) -> Reason:
    match error:
        case DeadlineExceeded() | asyncio.CancelledError():
            return "CANCELED"
        case Overloaded():
            return "REJECTED"
        case ServiceError() if error.status < 500:
            return "OTHER"  # the image's own fault
        case _:
            return "BACKEND"


def _us(seconds: float) -> int:
    return round(1e6 * seconds)
