"""Hundreds of malformed files through a real gateway: each a refusal with its reason, or a right answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from shared.errors import BrokenImage, ImageTooLarge, UnsupportedImage
from tests.chaos.hostile_files import Door, open_door, post
from tests.hostile_files import hostile_files, whole_files

MORE_MEMORY_BYTES = 150 * 2**20
DECODER_MEMORY_BYTES = 400 * 2**20


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with open_door(tmp_path_factory.mktemp("door")) as door:
        yield door


@pytest.mark.timeout(900)  # hundreds of uploads, on a machine that others may use, too
def test_every_malformed_file_is_refused_for_a_reason_or_answered_right_in_bounded_memory(door: Door) -> None:
    before, _ = door.memory_bytes()
    statuses: Counter[int] = Counter()
    most = most_of_decoder = 0
    for file in hostile_files():
        statuses[post(door, file)] += 1
        now, decoder = door.memory_bytes()
        most, most_of_decoder = max(most, now), max(most_of_decoder, decoder)
    assert statuses.total() >= 300
    assert {BrokenImage.status, UnsupportedImage.status, ImageTooLarge.status, 201} == set(statuses)
    assert most - before < MORE_MEMORY_BYTES
    assert most_of_decoder < DECODER_MEMORY_BYTES


def test_after_all_of_them_it_takes_the_right_ones(door: Door) -> None:
    for kind, (media_type, whole) in whole_files().items():
        answer = door.client.post("/api/v1/images", files={"file": (kind, whole)})
        assert (answer.status_code, answer.json()["media_type"]) == (201, media_type), kind
