"""Make UUIDs that sort by time.

Python 3.14 brings `uuid.uuid7`; this file goes when it is the oldest Python we support.
"""

from __future__ import annotations

import secrets
import time
from uuid import UUID


def uuid7() -> UUID:
    """Return a UUID of version 7: 48 bits of Unix time in milliseconds, then 74 random bits.

    Source: RFC 9562, section 5.7.
    """
    unix_ms = time.time_ns() // 1_000_000
    random_a, random_b = secrets.randbits(12), secrets.randbits(62)
    return UUID(int=unix_ms << 80 | 0x7 << 76 | random_a << 64 | 0b10 << 62 | random_b)
