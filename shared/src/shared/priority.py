"""Say and read how urgent a request is, as HTTP does: `Priority: u=7` is work that goes on in the background.

Source: RFC 9218, section 4.1: urgency is 0 to 7, 3 unless told.
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Header

HEADER = "Priority"
BACKGROUND = {HEADER: "u=7"}

_LEAST_URGENT = re.compile(r"(?:^|[,\s])u=7(?:$|[,;\s])")


def read_is_background(
    priority: Annotated[
        str | None, Header(alias=HEADER, description="RFC 9218; `u=7` waits for everything else.")
    ] = None,
) -> bool:
    """Say whether a request may wait for all others; whatever else stands in the header means it may not."""
    return bool(priority and _LEAST_URGENT.search(priority))


IsBackground = Annotated[bool, Depends(read_is_background)]
