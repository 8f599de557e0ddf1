"""The processes that decode strangers' files: over a limit they are killed and replaced, and nobody else notices."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator

import psutil
import pytest
from PIL import Image

from gateway.decoding_channel import DecodingChannel
from gateway.decoding_process import DecoderDied, DecodingLimits, DecodingProcess, DecodingTooSlow
from gateway.hygiene import Hygiene
from shared.deadline import Deadline
from shared.errors import BrokenImage, DeadlineExceeded, Overloaded
from shared.previews import Inspection
from tests.pictures import encoded, photo_bytes

ENOUGH = DecodingLimits(pixel_limit=80_000_000, memory_bytes=1536 * 2**20, timeout_s=60)
LITTLE_MEMORY = DecodingLimits(pixel_limit=80_000_000, memory_bytes=400 * 2**20, timeout_s=60)
LARGE = encoded(Image.new("RGBA", (8_000, 8_000)), "PNG", compress_level=1)
"""64 million pixels in 300 kB, which take 256 MB and as much again to put on white."""
SLOW = encoded(Image.new("RGBA", (4_500, 4_500)), "PNG", compress_level=1)


@pytest.fixture
def process() -> Iterator[DecodingProcess]:
    process = DecodingProcess(ENOUGH)
    process.start()
    yield process
    process.close()


async def _hygiene(limits: DecodingLimits = ENOUGH, *, processes: int = 1, waiting: int = 4) -> Hygiene:
    hygiene = Hygiene(processes=processes, waiting=waiting, limits=limits)
    await hygiene.start()
    return hygiene


def _pid(hygiene: Hygiene) -> int:
    return hygiene.pids[0]


def test_a_process_that_takes_too_long_is_killed_and_the_next_file_has_a_new_one(process: DecodingProcess) -> None:
    first = process.pid
    with pytest.raises(DecodingTooSlow):
        process.inspect(SLOW, timeout_s=0.05)
    assert process.inspect(photo_bytes(), timeout_s=60).media_type == "image/jpeg"
    assert process.pid != first
    assert not psutil.pid_exists(first)


def test_an_image_that_takes_too_much_memory_is_refused_with_the_limit_and_the_process_replaced() -> None:
    process = DecodingProcess(LITTLE_MEMORY)
    process.start()
    first = process.pid
    with pytest.raises(BrokenImage, match="within the 400 MB of memory"):
        process.inspect(LARGE, timeout_s=60)
    assert process.inspect(photo_bytes(), timeout_s=60).width == 64
    assert process.pid != first
    process.close()


def test_the_largest_image_that_is_taken_fits_into_the_memory_that_is_given(process: DecodingProcess) -> None:
    assert process.inspect(LARGE, timeout_s=60).width == 8_000


def test_a_process_that_does_not_answer_at_all_is_killed(process: DecodingProcess) -> None:
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(DecodingTooSlow):
        process.inspect(bytes(1_000_000), timeout_s=0.2)
    assert process.inspect(photo_bytes(), timeout_s=60).height == 48


@pytest.mark.parametrize("spoken", [b"", b"\xff" * 8, b"\0" * 7 + b"\x02{}" + b"\0" * 8])
def test_a_process_that_is_taken_over_is_believed_nothing(spoken: bytes) -> None:
    process = DecodingProcess(ENOUGH)
    process.start()
    assert process._child is not None
    taken_over = DecodingChannel()
    taken_over.far.sendall(spoken)
    taken_over.far.shutdown(socket.SHUT_WR)
    process._child[1].close()
    process._child = process._child[0], taken_over
    with pytest.raises(DecoderDied):
        process.inspect(photo_bytes(), timeout_s=60)
    assert process.inspect(photo_bytes(), timeout_s=60).width == 64
    process.close()


def test_it_has_no_secret_no_file_to_write_and_bounded_memory(
    process: DecodingProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEGENDA_SECRET", "hush")
    process.start()
    child = psutil.Process(process.pid)
    assert "LEGENDA_SECRET" not in child.environ()
    if sys.platform == "linux":
        assert child.rlimit(psutil.RLIMIT_AS) == (ENOUGH.memory_bytes, ENOUGH.memory_bytes)
        assert child.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
        mapped = {os.path.basename(each.path) for each in child.memory_maps()}
        assert not [name for name in mapped if "tensorflow" in name]


async def test_an_image_over_the_time_limit_is_broken_and_says_why() -> None:
    hygiene = await _hygiene(DecodingLimits(pixel_limit=80_000_000, memory_bytes=ENOUGH.memory_bytes, timeout_s=0.05))
    with pytest.raises(BrokenImage, match=r"cannot be decoded within 0\.05 s"):
        await hygiene.inspect(SLOW, deadline=Deadline.after(60))
    hygiene.close()


async def test_a_deadline_that_comes_first_is_a_deadline_and_no_fault_of_the_image() -> None:
    hygiene = await _hygiene()
    with pytest.raises(DeadlineExceeded):
        await hygiene.inspect(SLOW, deadline=Deadline.after(0.05))
    assert (await hygiene.inspect(photo_bytes(), deadline=Deadline.after(60))).width == 64
    hygiene.close()


async def test_a_process_that_somebody_else_killed_costs_no_image() -> None:
    hygiene = await _hygiene()
    os.kill(_pid(hygiene), signal.SIGKILL)
    assert (await hygiene.inspect(photo_bytes(), deadline=Deadline.after(60))).width == 64
    hygiene.close()


class Ended(DecodingProcess):
    """Somebody ends it over every file."""

    def inspect(self, image: bytes, *, timeout_s: float) -> Inspection:
        threading.Timer(0.1, os.kill, (self.pid, signal.SIGKILL)).start()
        return super().inspect(image, timeout_s=timeout_s)


async def test_an_image_that_ends_one_process_after_the_other_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.hygiene.DecodingProcess", Ended)
    hygiene = await _hygiene()
    with pytest.raises(BrokenImage, match="the decoder breaks off"):
        await hygiene.inspect(SLOW, deadline=Deadline.after(60))
    hygiene.close()


async def test_a_full_queue_is_said_at_once_and_the_loop_goes_on_meanwhile() -> None:
    hygiene = await _hygiene(waiting=0)
    busy = asyncio.create_task(hygiene.inspect(SLOW, deadline=Deadline.after(60)))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded) as refused:
        await hygiene.inspect(photo_bytes(), deadline=Deadline.after(60))
    assert refused.value.headers["Retry-After"]
    turns = 0
    while not busy.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 100
    assert (await busy).width == 4_500
    hygiene.close()


async def test_what_waits_past_its_deadline_is_never_decoded() -> None:
    hygiene = await _hygiene()
    busy = asyncio.create_task(hygiene.inspect(SLOW, deadline=Deadline.after(60)))
    await asyncio.sleep(0)
    with pytest.raises(DeadlineExceeded):
        await hygiene.inspect(photo_bytes(), deadline=Deadline.after(0.01))
    await busy
    hygiene.close()


async def test_no_process_is_left_when_it_is_closed() -> None:
    hygiene = await _hygiene(processes=2)
    pids = hygiene.pids
    await asyncio.to_thread(hygiene.close)
    assert not [pid for pid in pids if psutil.pid_exists(pid)]
