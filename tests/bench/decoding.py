"""Measure what a process of its own costs a small photo: `python -m tests.bench.decoding` prints a ratio of one run.

The same picture is inspected by turns in this process and in a decoding process.
"""

from __future__ import annotations

import statistics
import time

from shared.previews import inspect_image
from tests import decoding
from tests.pictures import drawn_picture, encoded

ROUNDS = 300
PIXELS = 10_000_000


def main() -> None:
    photo = encoded(drawn_picture(224, 224), quality=90)
    here_s, there_s = [], []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        inspect_image(photo, pixel_limit=PIXELS)
        between = time.perf_counter()
        decoding.inspect(photo, pixel_limit=PIXELS)
        here_s.append(between - started)
        there_s.append(time.perf_counter() - between)
    decoding.end_all()
    here, there = statistics.median(here_s), statistics.median(there_s)
    print(f"in this process    {1000 * here:6.2f} ms")
    print(f"in its own process {1000 * there:6.2f} ms")
    print(f"ratio              {there / here:6.2f}")


if __name__ == "__main__":
    main()
