"""Which library computes the network: TensorFlow on a GPU; else OpenVINO where bfloat16 is fast, or ncnn."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Literal

from shared.bfloat16 import has_native_bfloat16
from shared.gpus import shows_gpu
from shared.openvino_network import openvino_obstacle

log = logging.getLogger(__name__)

Backend = Literal["tensorflow", "openvino", "ncnn"]


class BackendUnavailable(Exception):
    """The backend that was asked for cannot compute here; the message says why and what to do."""


@dataclass(frozen=True)
class Computing:
    """How the network is computed."""

    backend: Backend = "tensorflow"
    dtype: str | None = None
    """What the convolutions compute in; none: what this machine is fastest in."""


def choose(backend: Backend | Literal["auto"] = "auto", precision: str = "auto") -> Computing:
    """Return how to compute here.

    Args:
        backend: `tensorflow`, `openvino`, `ncnn`, or `auto`: the fastest that nothing stands against.
        precision: A dtype, or `auto`: what is fastest here.

    Raises:
        BackendUnavailable: something stands against what was asked for, or against all.
    """
    obstacles: dict[Backend, str] = {}
    for each in _wanted(backend, precision):
        dtype = _dtype(each, precision)
        obstacle = _obstacle(each, dtype, is_asked_for=backend != "auto")
        if obstacle is None:
            log.info("backend_chosen", extra={"backend": each, "dtype": dtype, "passed_over": obstacles})
            return Computing(each, dtype)
        obstacles[each] = obstacle
    if backend != "auto":
        raise BackendUnavailable(f"CLASSIFY_BACKEND is {backend}, but {obstacles[backend]}")
    why = "; ".join(f"{name}: {obstacle}" for name, obstacle in obstacles.items())
    raise BackendUnavailable(f"nothing can compute here: {why}")


def has_gpu() -> bool:
    """Say whether TensorFlow finds a GPU; it is only asked where the system shows one."""
    if not shows_gpu():
        return False
    try:
        import tensorflow as tf  # noqa: PLC0415 - slow, takes 500 MB, and need not be installed
    except ImportError:
        return False
    return bool(tf.config.list_physical_devices("GPU"))


def _wanted(backend: Backend | Literal["auto"], precision: str) -> tuple[Backend, ...]:
    """Return the libraries to try, the fastest first."""
    if backend != "auto":
        return (backend,)
    if precision in {"auto", "bfloat16"} and has_native_bfloat16():
        return ("openvino", "ncnn", "tensorflow")
    return ("ncnn", "tensorflow")


def _dtype(backend: Backend, precision: str) -> str | None:
    if precision != "auto":
        return precision
    if backend == "openvino" and has_native_bfloat16():
        return "bfloat16"
    return None if backend == "tensorflow" else "float32"


def _obstacle(backend: Backend, dtype: str | None, *, is_asked_for: bool) -> str | None:
    """Return why a backend cannot compute in `dtype` here and what to do, or None if it can."""
    if backend == "tensorflow":
        return None if find_spec("tensorflow") else "TensorFlow is not installed; `make setup` installs it"
    if not is_asked_for and has_gpu():
        return "TensorFlow finds a GPU; CUDA_VISIBLE_DEVICES=-1 hides it"
    if dtype == "float16" or (dtype == "bfloat16" and (backend == "ncnn" or not has_native_bfloat16())):
        return f"CLASSIFY_PRECISION is {dtype}, which {backend} does not compute in here; set it to auto or float32"
    return openvino_obstacle() if backend == "openvino" else _ncnn_obstacle()


def _ncnn_obstacle() -> str | None:
    try:
        import_module("ncnn")
    except ImportError as error:
        return f"the package ncnn cannot be loaded ({error}); `pip install ncnn` installs it"
    return None
