"""Run a sorting again and again, each time killed at one file operation later: `python -m ... WORK ORIGINALS WAY`.

WORK/0, WORK/1, ... are what each left behind: `from` with what is left of a copy of ORIGINALS, and `to`.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

from classify_service.sorting.report import Way
from classify_service.sorting.sorting_run import Sorting
from classify_service.sorting.undoing import undo
from tests.integration.classify.colours import ColourClassifier

FILE_OPERATIONS = {"open", "os.link", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}


def main(work: Path, originals: Path, way: str) -> None:
    killed, number = True, 0
    while killed:
        folder = work / str(number)
        shutil.copytree(originals, folder / "from")
        child = os.fork()
        if child == 0:
            _kill_at(number, below=folder)
            Sorting(
                folder / "from", folder / "to", way=Way(way.removeprefix("undo-")), classifier=ColourClassifier()
            ).run()
            if way.startswith("undo-"):
                (report,) = (folder / "to").glob("*.csv")
                undo(report)
            os._exit(0)
        killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        number += 1


def _kill_at(number: int, *, below: Path) -> None:
    """Let the process end as by a power cut just before its file operation of this number."""
    seen = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event in FILE_OPERATIONS and str(arguments[0]).startswith(str(below)):
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1

    sys.addaudithook(watch)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
