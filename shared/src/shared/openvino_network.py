"""Networks computed by OpenVINO, where it is installed: what the model services share to use a processor's bfloat16.

OpenVINO is optional, and only wanted without its package openvino-telemetry, through which importing it reports to its
makers: nothing that handles private pictures may. So what is installed is looked up before anything is imported.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}


def openvino_obstacle() -> str | None:
    """Return why OpenVINO cannot compute here and what to do, or None if it can."""
    if find_spec("openvino") is None:
        return "the package openvino is not installed; `make openvino` installs it, `auto` does without"
    if find_spec("openvino_telemetry") is not None:
        return (
            "the package openvino-telemetry is installed, through which OpenVINO reports to its makers;"
            " `pip uninstall openvino-telemetry` removes it, and OpenVINO works without"
        )
    try:
        import_module("openvino")
    except ImportError as error:
        return f"the package openvino cannot be loaded ({error}); `make openvino` installs the one that was tested"
    return None


class OpenvinoNetwork:
    """A network of one input; several threads may call it, one after the other is served."""

    def __init__(self, build: Callable[[], Any], *, dtype: str, threads: int | None = None) -> None:
        """Compile the network.

        Args:
            build: Puts an `openvino.Model` together.
            dtype: `float32`, or `bfloat16` where the processor multiplies it; elsewhere OpenVINO would not heed it.
            threads: How many compute; none: one for each core that the process may use.

        Raises:
            ValueError: what `build` raises of weights that do not fit.
        """
        self._build, self._dtype, self._threads = build, dtype, threads
        self._is_running = threading.Lock()
        self._run: Any = self._compiled()

    def __call__(self, pictures: Floats) -> list[Floats]:
        """Return the network's maps.

        Args:
            pictures: What the network takes.

        Raises:
            MemoryError: they are too many.
        """
        with self._is_running:
            try:
                self._run = self._run or self._compiled()
                return list(self._run(pictures).values())
            except (MemoryError, RuntimeError) as error:
                if isinstance(error, RuntimeError) and "allocate" not in str(error):  # OpenVINO has no class for it
                    raise
                self._run = None  # from then on it would ask for so much for one picture, too
                raise MemoryError(f"{len(pictures)} pictures are too many for OpenVINO's memory") from error

    def _compiled(self) -> Any:
        openvino = import_module("openvino")
        hints = {
            "INFERENCE_PRECISION_HINT": PRECISIONS[self._dtype],
            "PERFORMANCE_HINT": "LATENCY",
            # A thread for each core that the process may use, as TensorFlow has, but bound to none: the other services
            # compute on the same ones.
            "ENABLE_HYPER_THREADING": True,
            "ENABLE_CPU_PINNING": False,
        }
        if self._threads:
            hints["INFERENCE_NUM_THREADS"] = self._threads
        return openvino.Core().compile_model(self._build(), "CPU", hints)
