"""Go through the rows, and find those whose original or preview is missing, damaged or in another label's folder.

A file that the pass over the files has seen is there. For any other the row is locked and the file is looked for, so
that nothing is told missing which is only being moved.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable

from shared.decoding import UnreadableImage
from storage_service.archive import Archive
from storage_service.checking.contents import preview_of, sha256_of
from storage_service.checking.findings import Finding, Findings
from storage_service.checking.seen import ELSEWHERE, ORIGINAL, PREVIEW, Seen
from storage_service.database import Database
from storage_service.errors import ImageFileMissing
from storage_service.filed_rows import FiledRow
from storage_service.filenames import preview_path
from storage_service.image_store import ImageStore

ROWS_A_STEP = 500
READERS = 4


class RowsCheck:
    """One pass over the rows."""

    def __init__(
        self,
        database: Database,
        store: ImageStore,
        archive: Archive,
        findings: Findings,
        *,
        seen: Seen,
        read_all: bool,
        repair: bool,
    ) -> None:
        """Prepare a pass.

        Args:
            database: Has the rows.
            store: Has the files.
            archive: Moves a file together with its row.
            findings: Takes what is found.
            seen: Which files of each row are known to be where they belong.
            read_all: Read every original and compare its SHA-256.
            repair: Mend what is safe to mend.
        """
        self._database = database
        self._store = store
        self._archive = archive
        self._findings = findings
        self._seen = seen
        self._read_all = read_all
        self._repair = repair

    async def run(self, advance: Callable[[int], object]) -> None:
        """Look at every row; `advance` is told how many more were looked at."""
        after = 0
        readers = asyncio.Semaphore(READERS)

        async def check(row: FiledRow) -> None:
            async with readers:
                await self._check(row)
            self._findings.rows += 1
            advance(1)

        while True:
            async with self._database.reading() as images:
                rows = await images.filed.page(after=after, limit=ROWS_A_STEP)
            if not rows:
                return
            after = rows[-1].seq
            try:
                async with asyncio.TaskGroup() as group:
                    for row in rows:
                        group.create_task(check(row))
            except ExceptionGroup as failures:
                raise failures.exceptions[0] from None  # they fail together, and for one reason

    async def _check(self, row: FiledRow) -> None:
        if self._seen.has(row.seq, ELSEWHERE):
            return
        if not self._seen.has(row.seq, ORIGINAL) and not await self._has_its_original(row):
            return
        if self._read_all and not await self._is_intact(row):
            return
        if row.path != row.right_path:
            await self._refile(row)
        if not self._seen.has(row.seq, PREVIEW):
            await self._look_for_preview(row)

    async def _has_its_original(self, row: FiledRow) -> bool:
        async with self._database.writing() as images:
            now = await images.filed.of_locked(row.id)
            if now is None:
                return False  # deleted since
            found = await asyncio.to_thread(self._store.find, now.path)
        if found is None:
            self._add_missing(now)
        elif found.size_bytes != now.size_bytes:
            about = f"it has {found.size_bytes} bytes, but {now.size_bytes} were stored; restore it from a backup"
            self._findings.add(Finding("wrong_hash", now.path, now.id, about))
        return found is not None and found.size_bytes == now.size_bytes

    async def _is_intact(self, row: FiledRow) -> bool:
        try:
            sha256 = await asyncio.to_thread(sha256_of, self._store, row.path)
        except ImageFileMissing:
            async with self._database.writing() as images:
                now = await images.filed.of_locked(row.id)
                if now is None:
                    return False
                if await asyncio.to_thread(self._store.find, now.path) is None:
                    self._add_missing(now)
                    return False
                sha256 = await asyncio.to_thread(sha256_of, self._store, now.path)
        if sha256 == row.sha256:
            return True
        about = f"its SHA-256 is {sha256}, but {row.sha256} was stored; restore it from a backup"
        self._findings.add(Finding("wrong_hash", row.path, row.id, about))
        return False

    async def _refile(self, row: FiledRow) -> None:
        """Find a file that lies where its row says, but not in its label's folder."""
        async with self._archive.refiling() as (images, refile):
            image = await images.find_locked(row.id)
            if image is None:
                return
            now = (await images.filed.of([row.id]))[row.id]
            if now.path == now.right_path:
                return
            if self._repair:
                await refile(image)
        done = "; it was moved there" if self._repair else ""
        about = f"its label is {now.label}, so it belongs at {now.right_path}{done}"
        self._findings.add(Finding("wrong_folder", now.path, now.id, about, is_repaired=self._repair))

    async def _look_for_preview(self, row: FiledRow) -> None:
        path = preview_path(row.id)
        async with self._database.writing() as images:
            now = await images.filed.of_locked(row.id)
            found = await asyncio.to_thread(self._store.find, path)
            if now is None or (found is not None and found.size_bytes):
                return
            about, is_repaired = await asyncio.to_thread(self._remake_preview, now)
        self._findings.add(Finding("missing_preview", path, now.id, about, is_repaired=is_repaired))

    def _remake_preview(self, row: FiledRow) -> tuple[str, bool]:
        if not self._repair:
            return "the image has no preview; --repair makes one from the original", False
        try:
            preview = preview_of(self._store, row.path)
        except (UnreadableImage, ImageFileMissing) as error:
            return f"none can be made from {row.path}: {error}", False
        self._store.write(preview_path(row.id), io.BytesIO(preview))
        return f"it was made anew from {row.path}", True

    def _add_missing(self, row: FiledRow) -> None:
        about = "the image's original is nowhere in the store; restore it from a backup, or delete the image"
        self._findings.add(Finding("missing_file", row.path, row.id, about))
