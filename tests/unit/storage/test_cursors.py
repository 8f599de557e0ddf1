from __future__ import annotations

import base64

import pytest

from shared.errors import BadRequest
from storage_service.cursors import Cursor, read_cursor, write_cursor


def test_a_cursor_is_read_as_it_was_written() -> None:
    cursor = Cursor(sort="uncertain", rank=0.1 + 0.2, seq=7)

    text = write_cursor(cursor)

    assert read_cursor(text, sort="uncertain") == cursor
    assert text.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "é",
        "\x00",
        "AAAA",
        "=",
        "not a cursor",
        "x" * 10_000,
        base64.urlsafe_b64encode(b"{}").decode(),
        base64.urlsafe_b64encode(b'{"sort":"newest","rank":NaN,"seq":1}').decode(),
        base64.urlsafe_b64encode(b'{"sort":"newest","rank":1e999,"seq":1}').decode(),
        base64.urlsafe_b64encode(b'{"sort":"newest","seq":99999999999999999999}').decode(),
        base64.urlsafe_b64encode(b'{"sort":"newest","seq":1,"more":1}').decode(),
    ],
)
def test_what_is_no_cursor_is_a_bad_request(text: str) -> None:
    with pytest.raises(BadRequest):
        read_cursor(text, sort="newest")


def test_a_cursor_of_another_order_is_a_bad_request() -> None:
    with pytest.raises(BadRequest, match="sorted by newest, not by relevance"):
        read_cursor(write_cursor(Cursor(sort="newest", seq=1)), sort="relevance")
