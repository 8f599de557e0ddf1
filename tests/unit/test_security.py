"""What `deploy/SECURITY.md` says is tested, is tested."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "deploy" / "SECURITY.md").read_text(encoding="utf-8")


def test_all_ten_items_are_there_each_with_a_test_or_a_plain_word_that_there_is_none() -> None:
    rows = {row.split()[1]: row for row in TEXT.splitlines() if row.startswith("| API")}
    assert list(rows) == [f"API{number}" for number in range(1, 11)]
    for row in rows.values():
        assert "`tests/" in row or "not covered yet" in row


def test_every_test_that_it_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)
    assert named
    for file, test in named:
        source = (ROOT / file).read_text(encoding="utf-8")
        assert not test or re.search(rf"def {test}\(", source), f"{file}::{test}"
