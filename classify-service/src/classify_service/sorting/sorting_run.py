"""One run from a folder of images to label folders; a run that was stopped is gone on with."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tqdm import tqdm

from classify_service.model.preprocessing import UnreadableImage
from classify_service.sorting.folder import Found, find_files
from classify_service.sorting.lock import only_one
from classify_service.sorting.placing import copy_file, find_place, has_content, link_file, move_file
from classify_service.sorting.recovery import settle
from classify_service.sorting.report import ALREADY_THERE, LEFT, UNFINISHED, Report, Row, SortError, Way
from shared.artifacts import file_sha256
from shared.contracts import UNCLASSIFIED

_PUT: dict[Way, Callable[..., None]] = {Way.COPY: copy_file, Way.MOVE: move_file, Way.LINK: link_file}
_ENDS_THE_RUN = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


class LabelScore(Protocol):
    """A label and its probability."""

    @property
    def label(self) -> str: ...  # noqa: D102
    @property
    def confidence(self) -> float: ...  # noqa: D102


class FileClassifier(Protocol):
    """What gives labels; `model.classifier.Classifier` is the real one."""

    def scores_of_file(self, source: Path) -> Sequence[LabelScore]:
        """Return every label, best first, or raise UnreadableImage."""

    def is_sure_of(self, label: str, confidence: float) -> bool:
        """Whether a label that is the best, with this confidence, is given."""


@dataclass
class Outcome:
    """What a run has done so far."""

    placed: Counter[str] = field(default_factory=Counter)
    """Files in their label's folder, by label."""
    already_there: int = 0
    """How many of them were so before."""
    left: list[tuple[str, str]] = field(default_factory=list)
    """Files that stayed where they are, and why."""
    report: Path | None = None
    """Null after a dry run."""


@dataclass(frozen=True)
class Plan:
    """Where one file goes."""

    label: str
    confidence: float
    place: Path
    is_there: bool
    sha256: str


def check_folders(source: Path, destination: Path) -> None:
    """Refuse folders that cannot be sorted from or to, before a model is loaded.

    Raises:
        SortError: which, and why.
    """
    if not source.is_dir():
        raise SortError(f"there is no folder {source}")
    if destination.exists() and not destination.is_dir():
        raise SortError(f"{destination} is a file: name a folder to sort into")
    if source.resolve() == destination.resolve():
        raise SortError(f"{source} cannot be sorted into itself: name another folder, {source}/sorted for one")


class Sorting:
    """Sorts the files of one folder into label folders of another."""

    def __init__(self, source: Path, destination: Path, *, way: Way, classifier: FileClassifier) -> None:
        self._source = source.resolve()
        self._destination = destination.resolve()
        self._way = way
        self._classifier = classifier
        self._taken: set[Path] = set()
        self.outcome = Outcome()

    def plan(self, tell: Callable[[Path, Plan], None]) -> Outcome:
        """Say of each file where it would go; nothing is written."""
        found = self._find()
        for file in tqdm(found.files, desc="sorting", unit="file"):
            try:
                plan = self._plan(file)
            except (UnreadableImage, OSError) as error:
                self.outcome.left.append((str(file), _reason(error)))
                continue
            self._count(plan)
            tell(file, plan)
        return self.outcome

    def run(self) -> Outcome:
        """Put each file in its place.

        Raises:
            SortError: the folder is being sorted into, holds an unfinished run of another kind, or is full.
            KeyboardInterrupt: after what was under way was brought to an end.
        """
        self._destination.mkdir(parents=True, exist_ok=True)
        with only_one(self._destination):
            report = self._open_report()
            self.outcome.report = report.file
            try:
                self._run(report)
            except KeyboardInterrupt:
                settle(report)
                raise
            finally:
                report.close()
            self.outcome.report = report.finish()
        return self.outcome

    def _run(self, report: Report) -> None:
        settle(report)
        found = self._find()
        done = self._done_before(report, found)
        for file, reason in found.passed_over:
            report.write(Row(str(file), "", "", "", LEFT, reason))
        for file in tqdm(found.files, desc="sorting", unit="file"):
            if str(file) not in done:
                self._sort(file, report)

    def _find(self) -> Found:
        found = find_files(self._source, without=self._destination)
        self.outcome.left += [(str(file), reason) for file, reason in found.passed_over]
        return found

    def _done_before(self, report: Report, found: Found) -> set[str]:
        """Count what the run before has done, and return the files that need nothing more."""
        there = {str(file) for file in found.files}
        done: set[str] = set()
        for row in report.latest():
            if not (row.is_done or row.action == ALREADY_THERE):
                continue
            if not has_content(Path(row.destination), row.sha256):
                continue
            if row.source in there and (self._way is Way.MOVE or not has_content(Path(row.source), row.sha256)):
                continue  # another file by the name of one that was sorted
            done.add(row.source)
            self._taken.add(Path(row.destination))
            self.outcome.placed[row.label] += 1
            self.outcome.already_there += row.action == ALREADY_THERE
        return done

    def _plan(self, file: Path) -> Plan:
        best = self._classifier.scores_of_file(file)[0]
        label = best.label if self._classifier.is_sure_of(best.label, best.confidence) else UNCLASSIFIED
        sha256 = file_sha256(file)
        # A file to be moved that is also there already is a second one, and nothing of a person's is thrown away.
        same = None if self._way is Way.MOVE else sha256
        place, is_there = find_place(file, self._destination / label, sha256=same, taken=self._taken)
        return Plan(label, best.confidence, place, is_there, sha256)

    def _count(self, plan: Plan) -> None:
        self._taken.add(plan.place)
        self.outcome.placed[plan.label] += 1
        self.outcome.already_there += plan.is_there

    def _sort(self, file: Path, report: Report) -> None:
        try:
            plan = self._plan(file)
            plan.place.parent.mkdir(exist_ok=True)
            while not plan.is_there and not self._put(file, plan, report):
                plan = self._plan(file)
        except (UnreadableImage, OSError) as error:
            if isinstance(error, OSError) and error.errno in _ENDS_THE_RUN:
                raise SortError(f"{error.strerror}: {self._destination}; the same command goes on later") from error
            report.write(Row(str(file), "", "", "", LEFT, _reason(error)))
            self.outcome.left.append((str(file), _reason(error)))
            return
        report.write(_row(file, plan, ALREADY_THERE if plan.is_there else self._way.done))
        self._count(plan)

    def _put(self, file: Path, plan: Plan, report: Report) -> bool:
        """Put a file in its place; false where another one took the name meanwhile."""
        report.write(_row(file, plan, self._way.under_way))
        try:
            _PUT[self._way](file, plan.place, sha256=plan.sha256)
        except FileExistsError:
            return False
        return True

    def _open_report(self) -> Report:
        unfinished = sorted(self._destination.glob(f"classify-sort-*{UNFINISHED}"))
        if not unfinished:
            return Report.begin(self._destination, source=self._source, way=self._way)
        report = Report.resume(unfinished[0])
        purpose = report.purpose
        if purpose and (purpose.source, purpose.action) != (str(self._source), self._way.value):
            report.close()
            raise SortError(
                f"{self._destination} has an unfinished run: finish it with `classify-sort --{purpose.action} "
                f"{purpose.source} {self._destination}`, or take it back with `classify-sort --undo {report.file}`"
            )
        return report


def _row(file: Path, plan: Plan, action: str) -> Row:
    return Row(str(file), str(plan.place), plan.label, f"{plan.confidence:.4f}", action, sha256=plan.sha256)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or os.strerror(error.errno or 0)
    return str(error)
