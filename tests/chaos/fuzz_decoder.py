"""Fuzz the decoder with Atheris: whatever bytes, it is a picture or a named refusal, without crash, hang or hunger.

Atheris has wheels for Linux on x86-64; elsewhere this says that it was not run. Bytes that break the decoder are left
in the folder that it prints.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from pathlib import Path

from tests.hostile_files import whole_files

PIXELS = 4_000_000
HANG_S = 15
MEMORY_MB = 2048


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.fuzz_decoder", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="how long (default: %(default)s)")
    options = parser.parse_args()
    try:
        import atheris
    except ImportError:
        print("NOT RUN: tests.chaos.fuzz_decoder. Atheris is not installed (pip install atheris).")
        return
    with atheris.instrument_imports(include=["PIL", "pillow_heif", "shared"]):
        from shared.decoding import UnreadableImage, decode_image

    warnings.simplefilter("ignore")

    def look(content: bytes) -> None:
        try:
            decode_image(content, pixel_limit=PIXELS, side_px=64)
        except UnreadableImage:
            return

    folder = Path(tempfile.mkdtemp(prefix="legenda-fuzz-"))
    seeds = folder / "seeds"
    seeds.mkdir()
    for number, (_, whole) in enumerate(whole_files().values()):
        (seeds / str(number)).write_bytes(whole)
    print(f"Fuzzing for {options.seconds} s; what breaks the decoder is left in {folder}", flush=True)
    limits = [f"-max_total_time={options.seconds}", f"-timeout={HANG_S}", f"-rss_limit_mb={MEMORY_MB}"]
    atheris.Setup([sys.argv[0], *limits, "-max_len=8192", f"-artifact_prefix={folder}/", str(seeds)], look)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
