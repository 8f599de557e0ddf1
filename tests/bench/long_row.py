"""Upload thousands of pictures in a row, and see whether the last are as fast as the first and memory stays flat.

    python -m tests.bench.long_row --uploads 10000

Ends with 1 where the last tenth takes more than 1.1 times the first, or a service has grown by more than 5 %
since the first tenth was stored.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx
from tqdm import tqdm

from tests.bench.upload_load import memory_mb, picture, upload
from tests.live_platform import Platform, running_platform

MOST_SLOWER = 1.1
MOST_GROWN = 1.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uploads", type=int, default=10_000)
    parser.add_argument("--side", type=int, default=224, help="of the pictures, in pixels (default: %(default)s)")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="legenda-row-") as folder, running_platform(Path(folder)) as platform:
        told = measure(platform, uploads=options.uploads, side_px=options.side)
    for name, value in told.items():
        print(f"{name:<44}{value:>10.2f}")
    if options.json:
        options.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    grown = [value for name, value in told.items() if name.startswith("growth of")]
    if told["last tenth / first tenth"] > MOST_SLOWER or max(grown) > MOST_GROWN:
        sys.exit("the cost of an upload grows, or memory does")


def measure(platform: Platform, *, uploads: int, side_px: int) -> dict[str, float]:
    """Return the medians of the first and the last tenth in ms, and what each service's memory grew by."""
    tenth, times, early = max(1, uploads // 10), [], {}
    with httpx.Client(base_url=platform.url, timeout=120, trust_env=False) as client:
        for number in tqdm(range(uploads), unit="upload"):
            body = picture(side_px, side_px)
            started = time.perf_counter()
            upload(client, body)
            times.append(time.perf_counter() - started)
            if number + 1 == tenth:
                early = memory_mb(platform)
    first, last = statistics.median(times[:tenth]), statistics.median(times[-tenth:])
    late = memory_mb(platform)
    return {
        "uploads": float(uploads),
        "first tenth, median, ms": 1000 * first,
        "last tenth, median, ms": 1000 * last,
        "last tenth / first tenth": last / first,
        **{f"memory of {name} at the end, MB": value for name, value in late.items()},
        **{f"growth of {name} since the first tenth": late[name] / early[name] for name in late},
    }


if __name__ == "__main__":
    main()
