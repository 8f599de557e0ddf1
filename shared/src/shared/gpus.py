"""Whether the system shows a GPU: a cheap question, so that TensorFlow is not loaded only to ask it."""

from __future__ import annotations

from pathlib import Path

DEVICES = ("nvidia[0-9]*", "dxg", "kfd")
"""NVIDIA's, what Windows lends to Linux, AMD's."""


def shows_gpu(devices: Path = Path("/dev")) -> bool:
    """Say whether there may be a GPU that TensorFlow can use; only TensorFlow knows whether there is."""
    return any(next(devices.glob(pattern), None) for pattern in DEVICES)
