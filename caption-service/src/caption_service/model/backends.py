"""Which library computes the convolutions: TensorFlow on a GPU; else ncnn, or OpenVINO where bfloat16 is fast."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from caption_service.model import processor
from shared.bfloat16 import has_native_bfloat16
from shared.openvino_network import openvino_obstacle

log = logging.getLogger(__name__)

Backend = Literal["tensorflow", "openvino", "ncnn"]

FLOAT32_FASTEST: tuple[Backend, ...] = ("ncnn", "openvino", "tensorflow")
BFLOAT16_FASTEST: tuple[Backend, ...] = ("openvino", "ncnn", "tensorflow")
"""Where the processor multiplies bfloat16; ncnn computes in float32 there, too."""


class BackendUnavailable(Exception):
    """The backend that was asked for cannot compute here; the message says why and what to do."""


class Eye(Protocol):
    """An encoder of any backend."""

    @property
    def backend(self) -> Backend:
        """The library that computes it."""

    @property
    def dtype(self) -> str:
        """What it computes in."""

    def encode(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the maps (batch, 196, 512) of RGB images (batch, 224, 224, 3).

        Raises MemoryError where they are too many.
        """


@dataclass(frozen=True)
class Computing:
    """How the convolutions are computed."""

    backend: Backend = "tensorflow"
    dtype: str = "float32"

    def eye(self, weights_file: Path) -> Eye:
        """Build the encoder; errors as of `encoder.Encoder`. Only here the backend's library is loaded."""
        if self.backend == "openvino":
            from caption_service.model.openvino_encoder import OpenvinoEncoder  # noqa: PLC0415  # optional

            return OpenvinoEncoder(weights_file, dtype=self.dtype)
        if self.backend == "ncnn":
            from caption_service.model.ncnn_encoder import NcnnEncoder  # noqa: PLC0415  # not needed with the others

            return NcnnEncoder(weights_file)
        from caption_service.model.encoder import Encoder  # noqa: PLC0415  # not needed with the others

        return Encoder(weights_file, dtype=self.dtype)


def choose(backend: Backend | Literal["auto"] = "auto", precision: str = "auto") -> Computing:
    """Return how to compute here.

    Args:
        backend: `tensorflow`, `openvino`, `ncnn`, or `auto`: the fastest that nothing stands against.
        precision: A dtype, or `auto`: what this processor is fastest in.

    Raises:
        BackendUnavailable: something stands against what was asked for, or against all.
    """
    if backend != "auto":
        dtype = _dtype(backend, precision)
        if obstacle := _obstacle(backend, dtype):
            raise BackendUnavailable(f"CAPTION_BACKEND is {backend}, but {obstacle}")
        return Computing(backend, dtype)
    obstacles: dict[str, str] = {}
    for each in BFLOAT16_FASTEST if _dtype("openvino", precision) == "bfloat16" else FLOAT32_FASTEST:
        dtype = _dtype(each, precision)
        obstacle = _obstacle(each, dtype)
        if obstacle is None:
            break
        obstacles[each] = obstacle
    else:
        why = "; ".join(f"{name}: {obstacle}" for name, obstacle in obstacles.items())
        raise BackendUnavailable(f"nothing can compute here: {why}")
    log.info("backend_chosen", extra={"backend": each, "dtype": dtype, "passed_over": obstacles})
    return Computing(each, dtype)


def _dtype(backend: Backend, precision: str) -> str:
    if precision != "auto":
        return precision
    return "float32" if backend == "ncnn" else processor.fast_dtype()


def _obstacle(backend: Backend, dtype: str) -> str | None:
    """Return why a backend cannot compute in `dtype` here and what to do, or None if it can."""
    if backend == "tensorflow":
        return None if find_spec("tensorflow") else "TensorFlow is not installed; `make setup` installs it"
    if processor.has_gpu():
        return "TensorFlow finds a GPU, which is faster; `auto` takes it, CUDA_VISIBLE_DEVICES=-1 hides it"
    if dtype == "float16":
        return "CAPTION_PRECISION is float16, which is for GPUs; set it to auto, float32 or bfloat16"
    return _ncnn_obstacle(dtype) if backend == "ncnn" else _openvino_obstacle(dtype)


def _ncnn_obstacle(dtype: str) -> str | None:
    if dtype != "float32":
        return f"it computes in float32 and not in {dtype}; set CAPTION_PRECISION to float32"
    try:
        import_module("ncnn")
    except ImportError as error:
        return f"the package ncnn cannot be loaded ({error}); `pip install ncnn` installs it"
    return None


def _openvino_obstacle(dtype: str) -> str | None:
    if dtype == "bfloat16" and not has_native_bfloat16():
        return "this processor does not multiply bfloat16, as CAPTION_PRECISION asks; set that to auto or float32"
    return openvino_obstacle()
