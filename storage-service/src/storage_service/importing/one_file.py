"""One file on its way in: hygiene as at the gateway's door, then the archive, to which it is pending work."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TypeVar

from shared.body import readable_size
from shared.contracts import Correction, ImageRecord, NewImage
from shared.deadline import Deadline
from shared.decoding import UnreadableImage
from shared.errors import Overloaded
from shared.previews import Inspection, fingerprint, inspect_image
from shared.worker import BoundedWorker
from storage_service import lineage
from storage_service.archive import Archive
from storage_service.database import Database
from storage_service.export_names import without_id
from storage_service.importing.folder import Candidate
from storage_service.importing.said_before import SaidBefore
from storage_service.uploads import Upload

Answer = TypeVar("Answer")

FILE_TIMEOUT_S = 300.0
PAUSES_S = (1.0, 3.0, 10.0)
"""How long to wait for a busy database before trying again."""


class Result(Enum):
    """What became of a file."""

    NEW = "new"
    KNOWN = "known"
    LABELLED = "labelled"


class Refused(Exception):
    """A file cannot be imported; the message says why."""


@dataclass(frozen=True)
class Limits:
    """What is taken."""

    most_bytes: int
    most_pixels: int


class FileImport:
    """Imports files into a database and its store; without an archive, only says what would come of it."""

    def __init__(
        self,
        database: Database | None,
        archive: Archive | None,
        worker: BoundedWorker,
        *,
        limits: Limits,
        said_before: Mapping[str, SaidBefore],
    ) -> None:
        self._database = database
        self._archive = archive
        self._worker = worker
        self._limits = limits
        self._said_before = said_before
        self._planned: set[str] = set()

    async def take(self, candidate: Candidate) -> Result:
        """Import one file.

        Raises:
            Refused: it is no image that can be read, or too large.
            Overloaded: the database or the store do not answer, even after pauses.
        """
        content = await self._run(lambda: _read(candidate.file, self._limits.most_bytes))
        sha256 = await self._run(lambda: fingerprint(content))
        for pause_s in PAUSES_S:
            try:
                return await self._take(candidate, content, sha256)
            except Overloaded:
                await asyncio.sleep(pause_s)
        return await self._take(candidate, content, sha256)

    async def _take(self, candidate: Candidate, content: bytes, sha256: str) -> Result:
        before = self._said_before.get(sha256)
        words = before.words if before else Correction()
        if candidate.label:
            words = words.model_copy(update={"label": candidate.label})
        if known := await self._find(sha256):
            return await self._label(known, candidate.label)
        inspection = await self._run(lambda: _inspect(content, self._limits.most_pixels))
        if self._archive is None:
            is_new = sha256 not in self._planned
            self._planned.add(sha256)
            return Result.NEW if is_new else Result.KNOWN
        new = NewImage(
            filename=before.filename if before else _own_name(candidate.file),
            sha256=sha256,
            media_type=inspection.media_type,
            width=inspection.width,
            height=inspection.height,
            classification=None,
            caption=None,
        )
        upload = Upload(new=new, original=io.BytesIO(content), preview=io.BytesIO(inspection.preview), said=words)
        record, is_new = await self._archive.add(upload, deadline=Deadline.after(FILE_TIMEOUT_S))
        return Result.NEW if is_new else await self._label(record, candidate.label)

    async def _find(self, sha256: str) -> ImageRecord | None:
        if self._database is None:
            return None
        async with self._database.reading() as images:
            image = await images.find_by_sha256(sha256)
        return lineage.record_of(image) if image else None

    async def _label(self, known: ImageRecord, label: str | None) -> Result:
        """An image that is there keeps what a person said of it; else it gets the label of its folder."""
        if label is None or known.label.source == "person":
            return Result.KNOWN
        if self._archive is not None:
            await self._archive.correct(known.id, Correction(label=label), deadline=Deadline.after(FILE_TIMEOUT_S))
        return Result.LABELLED

    async def _run(self, job: Callable[[], Answer]) -> Answer:
        return await self._worker.run(job, deadline=Deadline.after(FILE_TIMEOUT_S))


def _own_name(file: Path) -> str:
    # A name that is no UTF-8 cannot be kept as it is.
    return without_id(file.name.encode("utf-8", "replace").decode("utf-8"))


def _read(file: Path, most_bytes: int) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(most_bytes + 1)
    except OSError as error:
        raise Refused(f"the file cannot be read: {error.strerror}") from error
    if len(content) > most_bytes:
        raise Refused(f"the file is larger than {readable_size(most_bytes)}, the most that is accepted")
    if not content:
        raise Refused("the file is empty")
    return content


def _inspect(content: bytes, most_pixels: int) -> Inspection:
    try:
        return inspect_image(content, pixel_limit=most_pixels)
    except UnreadableImage as error:
        raise Refused(str(error)) from error
