"""The command `storage-import`: a folder of images into the database and the store of the service's settings."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from shared.app import StartupError
from shared.errors import ServiceError
from shared.worker import BoundedWorker
from storage_service import schema
from storage_service.archive import Archive
from storage_service.connections import open_engine, read_url
from storage_service.database import Database
from storage_service.image_store import open_store
from storage_service.importing.folder import Found, find_images
from storage_service.importing.import_run import FILES_AT_ONCE, Tally, import_all
from storage_service.importing.one_file import FileImport, Limits, Result
from storage_service.importing.refusals import Refusals
from storage_service.importing.said_before import SaidBefore, UnusableTable, read_said_before
from storage_service.settings import StorageSettings

NICENESS = 10
SOME_REFUSED_EXIT_CODE = 2

EPILOG = """\
examples:
  storage-import ~/Pictures
  storage-import --dry-run --labels sorted      # sorted/dog/1.jpg would be labelled dog
  storage-import --labels sorted

The images come in as pending work: where the platform runs, or when it next does, the models describe and sort them.
With --labels each folder directly below DIR is a label that you give to all that is in it, `Holiday Rome` as
`holiday_rome`; files directly in DIR, and in DIR/unclassified, are left to the models. Without --labels folders mean
nothing. Bytes that are there already are passed over; with --labels they get their label, unless a person gave one.
DIR may be an unpacked export: names, and what people said, then come back as its captions.csv has them.

It reads the service's settings (STORAGE_...), runs also while the service does, and changes nothing in DIR. After
Ctrl-C the same command goes on. Hidden files, sidecars (.xmp, .json, .txt) and what systems leave behind are passed
over.
exit code: 0 all is in, 1 it could not go on or was stopped, 2 some files were refused: the report says which and why
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; one sentence instead of a traceback for what a person can mend."""
    options = _parser().parse_args(arguments)
    settings = StorageSettings()
    logging.getLogger("asyncmy").setLevel(logging.ERROR)
    tally = Tally()
    try:
        report = _report_path(options)
        os.nice(NICENESS)
        refusals = Refusals(None if options.dry_run else report)
        try:
            asyncio.run(_import(settings, options, refusals, tally))
        finally:
            refusals.close()
    except KeyboardInterrupt:
        _tell(tally, dry_run=options.dry_run)
        sys.exit("storage-import: stopped; the same command goes on")
    except StartupError as error:
        _tell(tally, dry_run=options.dry_run)
        sys.exit(f"storage-import cannot go on: {error}")
    if not tally.total:
        sys.stdout.write(f"There are no images in {options.folder}.\n")
    _tell(tally, dry_run=options.dry_run)
    if refusals.count:
        files = "file was" if refusals.count == 1 else "files were"
        where = "A dry run writes no report." if options.dry_run else f"Report: {report}"
        sys.stdout.write(f"{refusals.count} {files} refused, {refusals.example}. {where}\n")
        sys.exit(SOME_REFUSED_EXIT_CODE)


async def _import(settings: StorageSettings, options: argparse.Namespace, refusals: Refusals, tally: Tally) -> None:
    found, said_before = await asyncio.to_thread(_look, options.folder, with_labels=options.labels)
    limits = Limits(most_bytes=settings.body_limit_bytes, most_pixels=settings.pixel_limit)
    worker = BoundedWorker("storage-import", threads=min(FILES_AT_ONCE, os.cpu_count() or 1), waiting=4 * FILES_AT_ONCE)
    try:
        async with _opened(settings, worker, dry_run=options.dry_run) as (database, archive):
            files = FileImport(database, archive, worker, limits=limits, said_before=said_before)
            for file, reason in found.refused:
                refusals.note(file, reason)
            is_in_folder = (candidate.file.parent != options.folder for candidate in found.candidates)
            tally.has_unused_labels = not options.labels and not said_before and all(is_in_folder)
            await import_all(found.candidates, files, refusals, tally)
    except ExceptionGroup as group:
        raise StartupError(_reason(group)) from group
    finally:
        await asyncio.to_thread(worker.close)


@asynccontextmanager
async def _opened(
    settings: StorageSettings, worker: BoundedWorker, *, dry_run: bool
) -> AsyncIterator[tuple[Database | None, Archive | None]]:
    """Open the database and, unless nothing shall be written, the store; a dry run does not make a database."""
    if dry_run and not await asyncio.to_thread(_may_have_images, settings.database_url):
        yield None, None
        return
    engine = open_engine(settings.database_url)
    try:
        if dry_run:
            await schema.check_is_current(engine)
            yield Database(engine), None
            return
        store = await asyncio.to_thread(open_store, settings.store_url, access=settings.bucket_access)
        await schema.bring_up_to_date(engine)
        database = Database(engine)
        archive = Archive(database, store, worker)
        try:
            yield database, archive
        finally:
            await archive.finish()  # what is being written is written to its end
    finally:
        await engine.dispose()


def _may_have_images(database_url: str) -> bool:
    url = read_url(database_url)
    return url.get_backend_name() != "sqlite" or Path(url.database or "").is_file()


def _look(folder: Path, *, with_labels: bool) -> tuple[Found, dict[str, SaidBefore]]:
    try:
        said_before = read_said_before(folder)
    except UnusableTable as problem:
        sys.stderr.write(f"{problem}\n")
        said_before = {}
    return find_images(folder, with_labels=with_labels), said_before


def _report_path(options: argparse.Namespace) -> Path:
    if not options.folder.is_dir():
        raise StartupError(f"there is no folder {options.folder}")
    given: Path | None = options.report
    report = given or Path(f"storage-import-{datetime.now().astimezone():%Y%m%d-%H%M%S}.csv")
    if report.resolve().is_relative_to(options.folder.resolve()) and not options.dry_run:
        raise StartupError(f"nothing is written into {options.folder}: name a place for the report with --report FILE")
    if report.exists():
        raise StartupError(f"there is a file {report} already: name another one with --report FILE")
    return report


def _tell(tally: Tally, *, dry_run: bool) -> None:
    if not tally.total:
        return
    new, known, labelled = (tally.results[result] for result in (Result.NEW, Result.KNOWN, Result.LABELLED))
    would = "would be " if dry_run else ""
    parts = [f"{new} images {would}imported", f"{known} there already"]
    if labelled:
        parts.append(f"{labelled} there already that {'would get' if dry_run else 'got'} their label")
    sys.stdout.write(f"{', '.join(parts)}.\n")
    if tally.has_unused_labels:
        sys.stdout.write("Folders meant nothing. If their names are labels, run it again with --labels.\n")


def _reason(group: ExceptionGroup[Exception]) -> str:
    """Say why the files could not be gone on with; what nobody can mend is raised as it is."""
    match group.exceptions[0]:
        case ServiceError() as error:
            return f"{error.detail}; the same command goes on later"
        case OSError() as error:
            return f"the report cannot be written: {error.strerror or error}"
        case _:
            raise group


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="storage-import",
        description="Import a folder of images, with all folders in it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of images")
    parser.add_argument("--labels", action="store_true", help="the folders in DIR name labels, given by you")
    parser.add_argument("--dry-run", action="store_true", help="look at every file, write nothing")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="CSV of refused files (storage-import-TIME.csv in this folder)"
    )
    return parser


if __name__ == "__main__":
    main()
