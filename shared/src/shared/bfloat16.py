"""Whether the processor multiplies bfloat16: there OpenVINO and TensorFlow take half of the time for a network.

Source: oneDNN, developer guide, on which instructions multiply bfloat16 natively.
"""

from __future__ import annotations

from pathlib import Path

NATIVE = {"avx512_bf16", "amx_bf16"}


def has_native_bfloat16(description: Path = Path("/proc/cpuinfo")) -> bool:
    """Say whether it does.

    Args:
        description: Where Linux tells the processor's flags; on other systems there is none.
    """
    flags = description.read_text(encoding="utf-8", errors="replace").split() if description.is_file() else []
    return bool(NATIVE & set(flags))
