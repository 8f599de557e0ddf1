from __future__ import annotations

import pytest

from shared.deadline import Deadline
from shared.errors import BadRequest, DeadlineExceeded


def test_a_request_without_a_deadline_gets_the_longest() -> None:
    assert 29 < Deadline.from_header(None, longest_s=30).remaining_s() <= 30


def test_a_client_may_ask_for_less_time_but_not_for_more() -> None:
    assert Deadline.from_header("1500", longest_s=30).remaining_s() <= 1.5
    assert Deadline.from_header("99999999", longest_s=30).remaining_s() <= 30


@pytest.mark.parametrize("value", ["", "0", "-5", "soon", "1.5", "١٢"])
def test_a_deadline_that_is_no_positive_number_is_refused(value: str) -> None:
    with pytest.raises(BadRequest):
        Deadline.from_header(value, longest_s=30)


def test_a_passed_deadline_says_so() -> None:
    with pytest.raises(DeadlineExceeded):
        Deadline.after(-0.001).remaining_s()
