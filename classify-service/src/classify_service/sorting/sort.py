"""The command `classify-sort`: a folder of images into one folder a label, and back.

TensorFlow is loaded after the folders were checked, so that a mistake is answered at once.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from classify_service.settings import SHIPPED_MODEL
from classify_service.sorting.report import SortError, Way
from classify_service.sorting.sorting_run import Outcome, Plan, Sorting, check_folders
from classify_service.sorting.undoing import undo
from shared.artifacts import ArtifactError

EXAMPLE = """\
examples:
  classify-sort --dry-run Downloads sorted        # only says what would be done
  classify-sort Downloads sorted                  # copies
  classify-sort --move Downloads sorted
  classify-sort --undo sorted/classify-sort-20261124-101500.csv

Each image below SRC gets into DST/LABEL, or DST/unclassified where the model is not sure. Nothing is overwritten: a
second 1.jpg becomes `1 (2).jpg`. What is no image, cannot be read or is a symbolic link stays where it is and stands
in the report; hidden files are passed over. A stopped run goes on with the same command.
--link makes hard links: a second name for the same file, without a second copy; SRC and DST must be on one file
system, and there is no falling back to copies.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; one sentence instead of a traceback for what a person can mend."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.undo and (options.source or options.dry_run):
        parser.error("--undo takes a report and nothing else")
    if not options.undo and not options.destination:
        parser.error("SRC and DST are needed, or --undo REPORT")
    try:
        if options.undo:
            _undo(options.undo)
        else:
            _sort(options)
    except (SortError, ArtifactError) as error:
        sys.exit(f"classify-sort: {error}")
    except OSError as error:
        sys.exit(f"classify-sort: {error.strerror or error}: {error.filename or ''}".rstrip(": "))
    except KeyboardInterrupt:
        sys.exit("\nclassify-sort: stopped; the same command goes on")


def _sort(options: argparse.Namespace) -> None:
    check_folders(options.source, options.destination)
    # TensorFlow's notes on itself would bury ours.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    from classify_service.model.artifact import load  # noqa: PLC0415 - slow

    classifier, _ = load(options.model)
    sorting = Sorting(options.source, options.destination, way=options.way, classifier=classifier)
    if options.dry_run:
        _tell(sorting.plan(lambda file, plan: tqdm.write(_line(file, plan, options.way))), doing="would be")
        print("A dry run: nothing was written.")
        return
    try:
        _tell(sorting.run(), doing="are")
    except KeyboardInterrupt:
        sys.exit(
            f"\nclassify-sort: stopped; the same command goes on, and "
            f"`classify-sort --undo {sorting.outcome.report}` takes back what was done"
        )


def _line(file: Path, plan: Plan, way: Way) -> str:
    what = "is already" if plan.is_there else f"would {way.value}"
    return f"{what}: {file} -> {plan.place} ({plan.confidence:.2f})".encode(errors="replace").decode()


def _tell(outcome: Outcome, *, doing: str) -> None:
    counts = ", ".join(f"{label} {count}" for label, count in sorted(outcome.placed.items())) or "none"
    before = f", {outcome.already_there} of them were there already" if outcome.already_there else ""
    print(f"{outcome.placed.total()} images {doing} in their folders: {counts}{before}.")
    if outcome.left:
        example, reason = outcome.left[0]
        shown = example.encode(errors="replace").decode()
        print(f"{len(outcome.left)} files stay where they are, {shown} for one: {reason}.")
    if outcome.report:
        print(f"Report: {outcome.report}\nTo take it back: classify-sort --undo {outcome.report}")


def _undo(report: Path) -> None:
    undone = undo(report)
    moved = undone.taken_back.pop(Way.MOVE.done, 0)
    print(f"{moved} files moved back, {undone.taken_back.total()} copies or links removed.")
    for file, reason in undone.kept:
        print(f"left: {file}: {reason}".encode(errors="replace").decode())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="classify-sort",
        description="Sort a folder of images into one folder a label.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, nargs="?", metavar="SRC", help="folder of images, with all folders in it")
    parser.add_argument("destination", type=Path, nargs="?", metavar="DST", help="folder for the label folders")
    ways = parser.add_mutually_exclusive_group()
    for way, text in (
        (Way.COPY, "leave SRC as it is (the default)"),
        (Way.MOVE, "take the images out of SRC"),
        (Way.LINK, "make hard links"),
    ):
        ways.add_argument(f"--{way}", dest="way", action="store_const", const=way, help=text)
    parser.set_defaults(way=Way.COPY)
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, write nothing")
    parser.add_argument("--model", type=Path, default=SHIPPED_MODEL, help="folder of the classifier (the shipped one)")
    parser.add_argument("--undo", type=Path, metavar="REPORT", help="take back what a report says was done")
    return parser


if __name__ == "__main__":
    main()
