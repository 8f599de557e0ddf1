"""The command `classify-draw`: pictures to learn from, drawn from a seed, in the layout that `classify-train` reads."""

from __future__ import annotations

import argparse
import csv
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from classify_service.training.drawing.browser import Browser, NoBrowser, find_chromium, open_browser
from classify_service.training.drawing.catalogue import DRAWN_LABELS, HANDWRITTEN, NO_LABEL, Drawer, layouts
from classify_service.training.drawing.fonts import NoFonts, installed
from classify_service.training.drawing.handwriting import HAND_FONTS

JPEG_QUALITY = 85
MIN_HANDS = 4
"""Fewer handwriting fonts, and a model would learn these fonts."""
DRAWN_NAME = re.compile(r"(?P<layout>.+)-\d+-\d{4,}\.jpg")
"""A drawn picture's name: layout, seed, number. Other files that someone keeps in the folder are not touched."""
SOURCES_NAME = "labelled.csv"
COLUMNS = ("file", "label", "source_repo", "judged")
EXAMPLE = """\
examples:
  classify-draw drawn --count 200
  classify-draw drawn --count 300 --label question_paper --label circular --seed 7

OUT/labelled/LABEL/*.jpg and OUT/labelled.csv are for `classify-train --data OUT/labelled --sources OUT/labelled.csv`
(copied together with pictures of life: drawn ones are only learnt from), OUT/other/LAYOUT/*.jpg, which belong to no
label, for `--other OUT/other`. A stopped run goes on with the same command; pictures that are there are kept.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; one sentence instead of a traceback for what a person can mend."""
    options = _parser().parse_args(arguments)
    try:
        hands = installed(HAND_FONTS)
        labels = _labels(options.label, hands)
        every = layouts(_photos(options.photos), hands)
        with open_browser(options.chromium or find_chromium()) as browser:
            options.out.mkdir(parents=True, exist_ok=True)
            try:
                for label in labels:
                    draw_label(browser, options.out, Drawer(label, every[label], options.seed), count=options.count)
            finally:
                write_sources(options.out)
    except (NoBrowser, NoFonts) as error:
        sys.exit(f"classify-draw: {error}")
    except OSError as error:
        sys.exit(f"classify-draw: {error.strerror or error}: {error.filename or ''}".rstrip(": "))
    except KeyboardInterrupt:
        sys.exit("\nclassify-draw: stopped; the same command goes on")


def draw_label(browser: Browser, out: Path, drawer: Drawer, *, count: int) -> None:
    """Draw one label's pictures numbered 0 to `count` - 1, those that are not there yet."""
    for index in tqdm(range(count), desc=drawer.label, unit="picture"):
        layout = drawer.layout_of(index)
        folder = Path(NO_LABEL) / f"drawn-{layout}" if drawer.label == NO_LABEL else Path("labelled") / drawer.label
        file = out / folder / f"{layout}-{drawer.seed}-{index:04d}.jpg"
        if file.exists():
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        # Written beside and renamed, so that a stopped run leaves no half picture.
        unfinished = file.with_suffix(".unfinished")
        Image.fromarray(drawer.draw(browser, index)).save(unfinished, format="JPEG", quality=JPEG_QUALITY)
        os.replace(unfinished, file)


def write_sources(out: Path) -> None:
    """Write which layout each drawn picture has; all are marked as not to be judged by."""
    rows = [
        (f"{label}/{file.name}", label, f"drawn-{label}-{drawn['layout']}", "no")
        for label in DRAWN_LABELS
        if label != NO_LABEL
        for file in sorted((out / "labelled" / label).glob("*.jpg"))
        if (drawn := DRAWN_NAME.fullmatch(file.name))
    ]
    with (out / SOURCES_NAME).open("w", newline="", encoding="utf-8") as table:
        writer = csv.writer(table)
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def _labels(asked: list[str] | None, hands: tuple[str, ...]) -> list[str]:
    """Return the labels to draw: all or those that are asked for, handwriting only with fonts for it.

    Raises:
        NoFonts: handwriting is asked for by name, and there are too few fonts.
    """
    if len(hands) >= MIN_HANDS:
        return asked or list(DRAWN_LABELS)
    told = (
        f"{HANDWRITTEN} needs {MIN_HANDS} handwriting fonts or more, and {len(hands)} of those it knows are installed "
        "(Debian: apt-get install fonts-breip fonts-bwht fonts-klee fonts-kristi fonts-rufscript fonts-sjfonts)"
    )
    if asked and HANDWRITTEN in asked:
        raise NoFonts(told)
    if not asked:
        print(f"{told}; it is left out", file=sys.stderr)
    return asked or [label for label in DRAWN_LABELS if label != HANDWRITTEN]


def _photos(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    photos = sorted(folder.glob("*.jpg"))
    if not photos:
        sys.exit(f"classify-draw: --photos {folder} has no *.jpg in it")
    return photos


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="classify-draw",
        description="Draw pictures of each label, and of none, to learn from.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", metavar="OUT", type=Path, help="the folder to write to; it is made")
    parser.add_argument("--count", type=_count, default=100, metavar="N", help="pictures of each label (default 100)")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="JPEGs that memes and screens show, Flickr8k's say")
    parser.add_argument(
        "--seed", type=_seed, default=1, metavar="S", help="another seed draws other pictures (default 1)"
    )
    parser.add_argument(
        "--label", action="append", choices=DRAWN_LABELS, help="only this label; may be repeated (default: all)"
    )
    parser.add_argument(
        "--chromium", type=Path, metavar="FILE", help="the browser to draw with (default: the one found)"
    )
    return parser


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"at least 1, not {count}")
    return count


def _seed(text: str) -> int:
    seed = int(text)
    if seed < 0:
        raise argparse.ArgumentTypeError(f"0 or more, not {seed}")
    return seed


if __name__ == "__main__":
    main()
