"""Decide what a failure of the database means for the transaction in which it came.

Three cases matter to whoever waits: nothing was kept, so it may be done again; nothing was kept, but trying again at
once would only take longer; or it came in the middle of COMMIT, and nobody knows.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from storage_service.errors import OutcomeUnknown, StorageUnavailable, TransactionUndone

log = logging.getLogger(__name__)

_IN_EACH_OTHERS_WAY = frozenset({1020, 1205, 1213})  # changed meanwhile (MariaDB), lock wait timeout, deadlock
_CONNECTION_LOST = frozenset({1053, 1927, 2003, 2006, 2013, 2014, 2045, 2055, 3169, 4031})
_DRIVERS_TIMEOUT = "read timeout"

_WHAT_TO_DO = {
    1044: "the user may not use it: GRANT it the rights",
    1045: "check user and password in STORAGE_DATABASE_URL",
    1049: "create it, or name another in STORAGE_DATABASE_URL",
    2003: "is the server running, and are host and port in STORAGE_DATABASE_URL right?",
    sqlite3.SQLITE_NOTADB: "move it away, or name another in STORAGE_DATABASE_URL",
    sqlite3.SQLITE_READONLY: "make the file and its folder writable for this user",
    sqlite3.SQLITE_CANTOPEN: "make the file and its folder readable and writable for this user",
    sqlite3.SQLITE_FULL: "make room on its disk",
}


@dataclass
class Phase:
    """How far a transaction that changes something has come."""

    is_committing: bool = False


@contextmanager
def told(phase: Phase | None = None) -> Iterator[None]:
    """Turn the driver's failures into ours; without a phase nothing is changed, and nothing can be lost.

    Raises:
        TransactionUndone: nothing was kept, and another try may succeed.
        OutcomeUnknown: it failed in the middle of a COMMIT.
        StorageUnavailable: nothing was kept, and the database cannot do it now.
    """
    try:
        yield
    except PoolTimeoutError as error:
        log.error("database_failed", extra={"reason": "all connections are in use"})
        raise StorageUnavailable("the database has more to do than it can; try again shortly") from error
    except DBAPIError as error:
        if not _is_the_databases(error):
            raise
        committing = phase is not None and phase.is_committing
        log.error("database_failed", extra={"reason": reason_of(error), "committing": committing})
        raise _meaning(error, committing=committing) from error


def reason_of(error: DBAPIError) -> str:
    """Say why a database does not work, and what a person can do; without the password."""
    code = _code(error)
    reason = str(error.orig)
    if isinstance(error.orig, sqlite3.Error) and code is not None:
        code &= 0xFF  # SQLite's extended codes have the plain one in their last byte
    hint = _WHAT_TO_DO.get(code or 0)
    return f"{reason}: {hint}" if hint else reason


def _is_the_databases(error: DBAPIError) -> bool:
    """Tell a database that does not work from a statement that is wrong."""
    return isinstance(error, OperationalError | InterfaceError | InternalError) or type(error) is DatabaseError


def _meaning(error: DBAPIError, *, committing: bool) -> StorageUnavailable:
    code = _code(error)
    is_lost = error.connection_invalidated or code in _CONNECTION_LOST
    if _is_in_the_way(error, code):
        return TransactionUndone("others changed the same images at this moment; try again shortly")
    if committing:
        return OutcomeUnknown("the database failed while it stored this; look whether it did, or try again")
    if is_lost and _DRIVERS_TIMEOUT not in str(error.orig):
        return TransactionUndone("the database does not answer; try again shortly")
    return StorageUnavailable("the database does not answer; try again shortly")


def _is_in_the_way(error: DBAPIError, code: int | None) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        return code is not None and code & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return code in _IN_EACH_OTHERS_WAY


def _code(error: DBAPIError) -> int | None:
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", None)
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None
