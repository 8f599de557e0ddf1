"""What the machine can do, and how TensorFlow is set to use it, which is only loaded where it is needed."""

from __future__ import annotations

import logging
from pathlib import Path

from shared.bfloat16 import has_native_bfloat16
from shared.gpus import shows_gpu

log = logging.getLogger(__name__)


def has_gpu() -> bool:
    """Say whether TensorFlow finds a GPU; it is only asked where the system shows one."""
    if not shows_gpu():
        return False
    try:
        import tensorflow as tf  # noqa: PLC0415 - slow, takes 500 MB, and need not be installed
    except ImportError:
        return False
    return bool(tf.config.list_physical_devices("GPU"))


def fast_dtype(description: Path = Path("/proc/cpuinfo")) -> str:
    """Return what the encoder is fastest in: `bfloat16` where it is native, on a GPU `float16`, else `float32`.

    Args:
        description: Where Linux tells the processor's flags; on other systems there is none.
    """
    if has_gpu():
        return "float16"
    return "bfloat16" if has_native_bfloat16(description) else "float32"


def set_threads() -> None:
    """Let operations follow each other on one thread, each on all cores; for a process that has computed nothing yet.

    Between the many small operations of decoding, handing over to another thread took a third of the time.
    """
    import tensorflow as tf  # noqa: PLC0415 - slow

    try:
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError as error:
        log.info("threads_kept", extra={"reason": str(error)})
