from __future__ import annotations

import time
from uuid import RFC_4122

from storage_service.uuid7 import uuid7


def test_it_is_a_uuid_of_version_7() -> None:
    made = uuid7()

    assert (made.version, made.variant) == (7, RFC_4122)


def test_it_begins_with_the_time_in_milliseconds() -> None:
    before_ms = time.time_ns() // 1_000_000
    made = uuid7()
    after_ms = time.time_ns() // 1_000_000

    assert before_ms <= made.int >> 80 <= after_ms


def test_no_two_are_equal() -> None:
    assert len({uuid7() for _ in range(10_000)}) == 10_000
