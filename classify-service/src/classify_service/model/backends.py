"""Which library computes the network: ncnn on a processor, TensorFlow on a GPU or where it is asked for."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
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
        BackendUnavailable: something stands against what was asked for, or against both.
    """
    obstacle = None
    if backend != "tensorflow":
        obstacle = _ncnn_obstacle(precision, has_gpu=backend == "auto" and has_gpu())
        if obstacle and backend == "ncnn":
            raise BackendUnavailable(f"CLASSIFY_BACKEND is ncnn, but {obstacle}")
        if obstacle is None:
            log.info("backend_chosen", extra={"backend": "ncnn"})
            return Computing("ncnn", "float32")
    if find_spec("tensorflow") is None:
        why = f"ncnn cannot compute ({obstacle})" if obstacle else "CLASSIFY_BACKEND is tensorflow"
        raise BackendUnavailable(f"{why}, but TensorFlow is not installed; `make setup` installs it")
    log.info("backend_chosen", extra={"backend": "tensorflow", "reason": obstacle})
    return Computing("tensorflow", None if precision == "auto" else precision)


def has_gpu() -> bool:
    """Say whether TensorFlow finds a GPU; it is only asked where the system shows one."""
    if not shows_gpu():
        return False
    try:
        import tensorflow as tf  # noqa: PLC0415 - slow, takes 500 MB, and need not be installed
    except ImportError:
        return False
    return bool(tf.config.list_physical_devices("GPU"))


def _ncnn_obstacle(precision: str, *, has_gpu: bool) -> str | None:
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
