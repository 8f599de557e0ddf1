"""What a killed run left half done: find it and bring it to an end, so that each file is in one place."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from classify_service.sorting.placing import PART_NAME, has_content
from classify_service.sorting.report import LEFT, Report, Row, Way


def settle(report: Report) -> None:
    """Finish or take back what the report's rows say was under way; the run decides on the rest anew.

    A file that had reached its destination is done; of a move the source is then removed, if it still is the same.
    """
    for row in report.latest():
        if row.is_under_way:
            Path(row.destination).with_name(PART_NAME).unlink(missing_ok=True)
            if (outcome := _outcome(row)) is not None:
                report.write(outcome)


def _outcome(row: Row) -> Row | None:
    source, destination = Path(row.source), Path(row.destination)
    way = next(way for way in Way if way.under_way == row.action)
    if not os.path.lexists(destination):
        return None
    if not has_content(destination, row.sha256):
        # The empty file of `placing._rename`; an image is never empty.
        if not destination.is_symlink() and destination.is_file() and destination.stat().st_size == 0:
            destination.unlink()
        return None
    if way is Way.MOVE and os.path.lexists(source):
        if source.resolve() == destination.resolve() or not has_content(source, row.sha256):
            reason = f"a run was stopped when it was in {destination}, and it changed since"
            return dataclasses.replace(row, destination="", action=LEFT, error=reason)
        source.unlink()
    return dataclasses.replace(row, action=way.done)
