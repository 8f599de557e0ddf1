"""One sorting at a time in one folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from classify_service.sorting.report import SortError

LOCK_NAME = ".classify-sort.lock"


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold a folder against other sortings; a kill lets go of it.

    Raises:
        SortError: another one holds it.
    """
    file = folder / LOCK_NAME
    while True:
        with file.open("a") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise SortError(f"another classify-sort is at work in {folder}: wait until it has ended") from error
            if not file.exists() or not os.path.samestat(os.fstat(stream.fileno()), file.stat()):
                continue  # the one before removed it while we waited to open it
            try:
                yield
            finally:
                file.unlink(missing_ok=True)
            return
