"""`storage-check`: compare the database that the service uses with its store, and mend what is safe to mend.

It keeps nothing in memory but a byte for each row, and needs no pause of the service.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError
from tqdm import tqdm

from shared.app import StartupError
from shared.errors import ServiceError
from shared.worker import BoundedWorker
from storage_service.archive import Archive
from storage_service.checking.files import FilesCheck
from storage_service.checking.findings import Finding, Findings, JsonReport
from storage_service.checking.rows import READERS, RowsCheck
from storage_service.checking.seen import Seen
from storage_service.database import Database, open_engine
from storage_service.image_store import ImageStore, store_at
from storage_service.schema import require_current
from storage_service.settings import StorageSettings
from storage_service.stored_files import INCOMING

SETTLE_S = 600.0
"""No upload takes so long from its first file to its row; the clocks of a bucket and ours may differ a little."""
CLEAN, FOUND, COULD_NOT_CHECK = 0, 1, 2


def main() -> None:
    """Run `storage-check`."""
    options = _parser().parse_args()
    settings = StorageSettings()
    for talkative in ("asyncmy", "storage_service"):  # findings are told in their own words
        logging.getLogger(talkative).setLevel(logging.CRITICAL)
    try:
        findings = asyncio.run(_run(settings, options))
    except KeyboardInterrupt:
        _give_up("stopped; what it repaired stays repaired, and the same command begins anew")
    except ServiceError as error:
        _give_up(error.detail)
    except StartupError as error:
        _give_up(str(error))
    except OSError as error:
        _give_up(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "))
    sys.stdout.write(f"{_told(findings)}\n")
    sys.exit(FOUND if findings.left else CLEAN)


async def check(
    database: Database,
    store: ImageStore,
    findings: Findings,
    *,
    repair: bool = False,
    read_all: bool = True,
    settle_s: float = SETTLE_S,
) -> None:
    """Compare all rows with all files.

    Args:
        database: Has the rows.
        store: Has the files.
        findings: Takes what is found.
        repair: Mend what is safe to mend.
        read_all: Read every original to compare its SHA-256; else only its length.
        settle_s: Files without a row that are newer may belong to an upload under way, and are only counted.

    Raises:
        StorageUnavailable: the database or the store does not work.
    """
    async with database.reading() as images:
        rows = await images.filed.count()
    await asyncio.to_thread(store.find, f"{INCOMING}/none")  # a store that is away has lost nothing
    seen = Seen()
    worker = BoundedWorker("storage-check", threads=READERS, waiting=READERS)
    try:
        with _bar("files", 2 * rows) as bar:
            files_check = FilesCheck(database, store, findings, seen=seen, settle_s=settle_s, repair=repair)
            await files_check.run(bar.update)
        with _bar("rows", rows) as bar:
            archive = Archive(database, store, worker)
            rows_check = RowsCheck(database, store, archive, findings, seen=seen, read_all=read_all, repair=repair)
            await rows_check.run(bar.update)
    finally:
        await asyncio.to_thread(worker.close)


async def _run(settings: StorageSettings, options: argparse.Namespace) -> Findings:
    _require_a_database(settings.database_url)
    store = store_at(settings.store_url, access=settings.bucket_access)
    engine = open_engine(settings.database_url)
    try:
        await require_current(engine)
        with contextlib.ExitStack() as stack:
            report = stack.enter_context(JsonReport(options.json)) if options.json else None

            def tell(finding: Finding) -> None:
                tqdm.write(str(finding).encode(errors="replace").decode())
                if report:
                    report.add(finding)

            findings = Findings(tell)
            await check(
                Database(engine),
                store,
                findings,
                repair=options.repair,
                read_all=not options.quick,
                settle_s=options.settle,
            )
            if report:
                report.finish(findings.summary())
        return findings
    except DBAPIError as error:
        raise StartupError(f"the database cannot be used: {error.orig}") from error
    finally:
        await engine.dispose()


def _require_a_database(database_url: str) -> None:
    """Raise StartupError rather than let SQLite make an empty one in whatever folder this is."""
    file = make_url(database_url).database if database_url.startswith("sqlite") else None
    if file and not Path(file).is_file():
        raise StartupError(f"there is no database at {file}; run it where the service runs, with the same settings")


@contextlib.contextmanager
def _bar(what: str, about: int) -> Iterator[tqdm[object]]:
    """Show how far it is, on a terminal."""
    with tqdm(total=about, desc=what, unit="", unit_scale=True, disable=None) as bar:
        yield bar


def _told(findings: Findings) -> str:
    counts = ", ".join(f"{kind} {count}" for kind, count in sorted(findings.found.items())) or "nothing wrong"
    told = f"{findings.rows} images and {findings.files} files compared: {counts}."
    if findings.repaired:
        told += f" {findings.repaired.total()} repaired, {findings.left} left."
    if findings.too_new:
        told += (
            f"\n{findings.too_new} files without an image are new and may belong to uploads under way;"
            " run it again later, or with --settle 0 while the service is stopped."
        )
    return told


def _give_up(why: str) -> NoReturn:
    sys.stderr.write(f"storage-check could not check: {why}\n")
    sys.exit(COULD_NOT_CHECK)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="storage-check",
        description="Compare the images' rows with the store's files, with the settings of the service, which may go "
        "on working. Exit code 0: nothing is wrong, or all of it was repaired; 1: something is; 2: it could not check.",
        epilog="Example: storage-check --repair --json findings.json",
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help="move misplaced files to their place, make missing previews anew, remove spare copies and half-written "
        "files, and set aside in .orphans what belongs to no image; nothing that is the only copy is removed",
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the findings and their counts to a file")
    parser.add_argument("--quick", action="store_true", help="compare only the files' lengths, not their SHA-256")
    parser.add_argument(
        "--settle",
        type=_seconds,
        default=SETTLE_S,
        metavar="SECONDS",
        help="leave alone files without an image that are newer, since an upload may be under way (default: 600); "
        "0 while the service is stopped",
    )
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise ValueError(text)
    return seconds


if __name__ == "__main__":
    main()
