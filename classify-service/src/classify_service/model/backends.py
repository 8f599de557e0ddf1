"""Which library computes the network: ncnn on a processor, TensorFlow on a GPU or where it is asked for."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

from shared.gpus import shows_gpu

log = logging.getLogger(__name__)

Backend = Literal["tensorflow", "ncnn"]


class BackendUnavailable(Exception):
    """The backend that was asked for cannot compute here; the message says why and what to do."""


@dataclass(frozen=True)
class Computing:
    """How the network is computed."""

    backend: Backend = "tensorflow"
    dtype: str | None = None
    """What the convolutions compute in; none: what this machine is fastest in."""


def choose(backend: str = "auto", precision: str = "auto") -> Computing:
    """Return how to compute here.

    Args:
        backend: `tensorflow`, `ncnn`, or `auto`: ncnn where nothing stands against it.
        precision: A dtype, or `auto`: what is fastest here.

    Raises:
        BackendUnavailable: `ncnn` was asked for, and something stands against it.
    """
    dtype = None if precision == "auto" else precision
    if backend == "tensorflow":
        return Computing("tensorflow", dtype)
    obstacle = _obstacle(precision, has_gpu=backend == "auto" and has_gpu())
    if obstacle and backend == "ncnn":
        raise BackendUnavailable(f"CLASSIFY_BACKEND is ncnn, but {obstacle}")
    chosen = Computing("tensorflow", dtype) if obstacle else Computing("ncnn", "float32")
    log.info("backend_chosen", extra={"backend": chosen.backend, "reason": obstacle})
    return chosen


def has_gpu() -> bool:
    """Say whether TensorFlow finds a GPU; it is only asked where the system shows one."""
    if not shows_gpu():
        return False
    import tensorflow as tf  # noqa: PLC0415 - slow, and takes 500 MB

    return bool(tf.config.list_physical_devices("GPU"))


def _obstacle(precision: str, *, has_gpu: bool) -> str | None:
    """Return why ncnn cannot compute here and what to do, or None if it can."""
    if has_gpu:
        return "TensorFlow finds a GPU; CUDA_VISIBLE_DEVICES=-1 hides it"
    if precision not in {"auto", "float32"}:
        return f"CLASSIFY_PRECISION is {precision}, which only TensorFlow computes in; set it to auto or float32"
    try:
        import_module("ncnn")
    except ImportError as error:
        return f"the package ncnn cannot be loaded ({error}); `pip install ncnn` installs it"
    return None
