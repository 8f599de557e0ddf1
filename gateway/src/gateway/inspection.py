"""Look at a stranger's bytes once, and make the preview that everything behind the gateway sees.

This runs in the decoding processes, and imports no more than it takes to decode, so that such a process starts fast.
"""

from __future__ import annotations

from shared.previews import MEDIA_TYPES, PREVIEW_SIDE_PX, Inspection
from shared.previews import inspect_image as inspect

__all__ = ["MEDIA_TYPES", "PREVIEW_SIDE_PX", "Inspection", "inspect"]
