"""All files of a folder, a few at once; what was done before a stop need not be done again, for its bytes are known."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tqdm import tqdm

from storage_service.importing.folder import Candidate
from storage_service.importing.one_file import FileImport, Refused, Result
from storage_service.importing.refusals import Refusals

FILES_AT_ONCE = 4


@dataclass
class Tally:
    """What has become of the files so far."""

    results: Counter[Result] = field(default_factory=Counter)
    total: int = 0
    has_unused_labels: bool = False
    """Every file lies in a folder, and folders mean nothing."""


async def import_all(candidates: list[Candidate], files: FileImport, refusals: Refusals, tally: Tally) -> None:
    """Import files; what is done is counted in `tally`, also when it does not come to the end.

    Raises:
        Overloaded: the database or the store do not answer any more; in a group.
        OSError: the report of refusals cannot be written; in a group.
    """
    tally.total = len(candidates)
    with tqdm(total=len(candidates), desc="importing", unit="file") as progress:
        waiting = iter(candidates)
        async with asyncio.TaskGroup() as group:
            for _ in range(FILES_AT_ONCE):
                group.create_task(_take_each(waiting, files, refusals, tally, progress))


async def _take_each(
    waiting: Iterator[Candidate], files: FileImport, refusals: Refusals, tally: Tally, progress: tqdm
) -> None:
    for candidate in waiting:
        try:
            tally.results[await files.take(candidate)] += 1
        except Refused as refusal:
            refusals.note(candidate.file, str(refusal))
        progress.update()
