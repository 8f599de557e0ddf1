"""Make the database usable when the service starts, or as soon as it can be.

A database that is away, refuses the password or has an old schema is no reason to give up: the service starts, is not
ready, says why, and goes on by itself when that is mended.
"""

from __future__ import annotations

import asyncio
import logging

from alembic.util.exc import CommandError
from sqlalchemy.exc import DBAPIError

from shared.app import StartupError
from storage_service import schema
from storage_service.database import Database, open_engine
from storage_service.failures import reason_of

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
OPENING_TIMEOUT_S = 10.0
"""So long a start waits for the database before it goes on without."""


class Opening:
    """Tries again and again, until the database has the schema of this version."""

    def __init__(self, database: Database, database_url: str, *, statement_timeout_s: float) -> None:
        self._database = database
        self._url = database_url
        self._statement_timeout_s = statement_timeout_s
        self._told: str | None = None
        self._trying: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return when the database is usable, or has shown not to be, or after OPENING_TIMEOUT_S."""
        self._database.refuse("it is being opened")
        first = asyncio.Event()
        self._trying = asyncio.create_task(self._try(first))
        self._trying.add_done_callback(_tell_failure)
        waiting = asyncio.create_task(first.wait())
        await asyncio.wait({self._trying, waiting}, timeout=OPENING_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._trying.done():
            self._trying.result()

    async def close(self) -> None:
        """Stop trying."""
        if self._trying is not None:
            self._trying.cancel()
            await asyncio.gather(self._trying, return_exceptions=True)

    async def _try(self, first: asyncio.Event) -> None:
        pause_s = FIRST_PAUSE_S
        while (reason := await self._obstacle()) is not None:
            self._database.refuse(reason)
            if reason != self._told:
                log.error("database_unusable", extra={"reason": reason})
                self._told = reason
            first.set()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        self._database.admit()
        log.info("database_opened", extra={"dialect": self._database.dialect})

    async def _obstacle(self) -> str | None:
        """The embedded database is brought to this version's schema; a server's is whoever runs it to do."""
        is_embedded = self._database.dialect == "sqlite"
        # A migration may take its time; on a server we only look.
        engine = open_engine(self._url, statement_timeout_s=None if is_embedded else self._statement_timeout_s)
        try:
            await (schema.upgrade(engine) if is_embedded else schema.require_current(engine))
        except DBAPIError as error:
            return reason_of(error)
        except (StartupError, CommandError) as error:  # CommandError: a newer version's schema
            return str(error)
        finally:
            await engine.dispose()
        return None


def _tell_failure(trying: asyncio.Task[None]) -> None:
    if not trying.cancelled() and (error := trying.exception()):
        log.error("database_unusable", exc_info=error, extra={"reason": str(error)})
