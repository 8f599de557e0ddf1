from __future__ import annotations

import pytest

from shared.priority import BACKGROUND, HEADER, read_is_background


@pytest.mark.parametrize(
    ("header", "is_background"),
    [
        (None, False),
        ("", False),
        ("u=3", False),
        ("u=70", False),
        ("i", False),
        (BACKGROUND[HEADER], True),
        ("i, u=7", True),
        ("u=7, i", True),
        ("u=7;x=1", True),
        ("\x00 nonsense", False),
    ],
)
def test_only_the_least_urgent_waits_for_all_others(header: str | None, *, is_background: bool) -> None:
    assert read_is_background(header) is is_background
