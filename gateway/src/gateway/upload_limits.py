"""How many uploads are taken, and how the time of each is shared out."""

from __future__ import annotations

from dataclasses import dataclass

STORAGE_RESERVE_S = 3.0
"""Of every deadline so much is kept for storing, or a slow model would cost the image; more while storage is slow."""
FOR_STORING = 0.5
"""Of its time an upload may need so much for what must be done; the rest is for the models."""
FOR_WAITING = 0.8
"""Of its time for the models an upload may spend so much behind others; who would wait longer is kept `pending`."""
STORING_TAKES_AT_MOST = 2.0
"""So many times as long as of late."""


@dataclass(frozen=True)
class UploadLimits:
    """How much is taken, and for how long a model is waited for."""

    model_timeout_s: float
    uploads_at_once: int
