"""Go through the files, and find those that no row needs, or that lie elsewhere than their row says.

The service may be at work meanwhile. What has a row is judged again while the row is locked, when nobody can be moving
its files. What has none may belong to an upload under way, so new files are left alone, and the others are looked at
again after a moment: one that is just being deleted is gone then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TypeVar

from storage_service.checking.contents import sha256_of
from storage_service.checking.findings import Finding, Findings, Kind
from storage_service.checking.seen import ELSEWHERE, ORIGINAL, PREVIEW, Seen
from storage_service.database import Database
from storage_service.filed_rows import FiledRow
from storage_service.filenames import id_in, preview_path
from storage_service.image_store import ImageStore
from storage_service.stored_files import INCOMING, PREVIEWS, StoredFile

FILES_A_STEP = 1000
SECOND_LOOK_S = 1.0

Item = TypeVar("Item")


class FilesCheck:
    """One pass over the files."""

    def __init__(
        self, database: Database, store: ImageStore, findings: Findings, *, seen: Seen, settle_s: float, repair: bool
    ) -> None:
        """Prepare a pass.

        Args:
            database: Has the rows.
            store: Has the files.
            findings: Takes what is found.
            seen: Takes which files of each row are where they belong.
            settle_s: Files without a row that are newer are only counted.
            repair: Mend what is safe to mend.
        """
        self._database = database
        self._store = store
        self._findings = findings
        self._seen = seen
        self._settle_s = settle_s
        self._repair = repair
        self._suspects: list[StoredFile] = []

    async def run(self, advance: Callable[[int], object]) -> None:
        """Look at every file; `advance` is told how many more were looked at."""
        files = self._store.files()
        while batch := await asyncio.to_thread(_take, files, FILES_A_STEP):
            await self._sort_out(batch)
            if len(self._suspects) >= FILES_A_STEP:
                await self._judge()
            self._findings.files += len(batch)
            advance(len(batch))
        await self._judge()

    async def _sort_out(self, batch: list[StoredFile]) -> None:
        """Mark what is where it belongs; the rest is suspect."""
        ids = {file.path: id_in(file.path) for file in batch}
        async with self._database.reading() as images:
            rows = await images.filed.of(image_id for image_id in ids.values() if image_id)
        for file in batch:
            image_id = ids[file.path]
            row = rows.get(image_id) if image_id else None
            if row is not None and file.path == preview_path(row.id) and file.size_bytes:
                self._seen.mark(row.seq, PREVIEW)
            elif row is not None and file.path == row.path:
                # One of another length is no mark: the pass over the rows looks at it.
                self._seen.mark(row.seq, ORIGINAL if file.size_bytes == row.size_bytes else 0)
            elif row is None and time.time() - file.changed_at_s < self._settle_s:
                self._findings.too_new += 1
            else:
                self._suspects.append(file)

    async def _judge(self) -> None:
        suspects, self._suspects = self._suspects, []
        if not suspects:
            return
        await asyncio.sleep(SECOND_LOOK_S)
        for file in suspects:
            if await asyncio.to_thread(self._store.find, file.path) is not None:
                await self._judge_one(file.path)

    async def _judge_one(self, path: str) -> None:
        image_id = id_in(path)
        async with self._database.writing() as images:
            row = await images.filed.of_locked(image_id) if image_id else None
            if row is not None:
                await asyncio.to_thread(self._judge_of, row, path)
                return
        await asyncio.to_thread(self._judge_nobodys, path)

    def _judge_of(self, row: FiledRow, path: str) -> None:
        """Judge a file whose image has a row, while that is locked."""
        if path in {row.path, preview_path(row.id)} or self._store.find(path) is None:
            return
        in_place = self._store.find(row.path)
        if in_place is None:
            self._judge_moved(row, path)
        elif sha256_of(self._store, row.path) == row.sha256:
            if self._repair:
                self._store.remove(path)
            self._add("spare_copy", path, row, f"the image lies at {row.path}, whole", done="this copy was removed")
        else:
            about = f"{row.path} is damaged, and this copy of it may not be: compare them by hand"
            self._findings.add(Finding("spare_copy", path, row.id, about))

    def _judge_moved(self, row: FiledRow, path: str) -> None:
        if sha256_of(self._store, path) != row.sha256:
            about = f"its name is that of the image that should lie at {row.path}, but its bytes are not"
            self._findings.add(Finding("orphan_file", path, row.id, f"{about}; look at it by hand"))
            return
        self._seen.mark(row.seq, ELSEWHERE)
        if self._repair:
            self._store.link(path, row.path)
            self._store.remove(path)
        self._add("wrong_folder", path, row, f"it belongs at {row.path}", done="it was moved there")

    def _judge_nobodys(self, path: str) -> None:
        if path.startswith(f"{INCOMING}/"):
            if self._repair:
                self._store.remove(path)
            about = "a write that was cut off left it; nobody was told that it is stored"
            self._add("half_written", path, None, about, done="it was removed")
            return
        aside = self._store.set_aside(path) if self._repair else ""
        kind: Kind = "orphan_preview" if path.startswith(f"{PREVIEWS}/") else "orphan_file"
        self._add(kind, path, None, "no image has this file", done=f"it was moved to {aside}")

    def _add(self, kind: Kind, path: str, row: FiledRow | None, about: str, *, done: str) -> None:
        """Tell what is repaired where repairs are wanted."""
        told = f"{about}; {done}" if self._repair else about
        self._findings.add(Finding(kind, path, row.id if row else None, told, is_repaired=self._repair))


def _take(files: Iterator[Item], count: int) -> list[Item]:
    return list(islice(files, count))
