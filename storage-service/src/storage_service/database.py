"""Hand out transactions on SQLite or MySQL, and say what their failures mean."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from shared.deadline import Deadline
from shared.errors import DeadlineExceeded
from storage_service import batch_following, failures, postings
from storage_service.connections import for_writing, open_engine
from storage_service.errors import StorageUnavailable
from storage_service.repeating import repeated
from storage_service.repository import ImageRepository

__all__ = ["Database", "for_writing", "open_engine"]

TURN_TIMEOUT_S = 30.0
FINISH_TIMEOUT_S = 5.0

Result = TypeVar("Result")


class Database:
    """Transactions on one engine; whatever keeps the server from answering is StorageUnavailable."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._reading = engine
        self._writing = for_writing(engine)
        self._unusable: str | None = None
        self._asked: set[asyncio.Task[object]] = set()
        self.dialect = engine.dialect.name
        # SQLite lets the others wait asleep, in no order; our own need not.
        self._turn = asyncio.Lock() if engine.dialect.name == "sqlite" else None

    def refuse(self, reason: str) -> None:
        """Begin no transaction, and say why, until `admit`."""
        self._unusable = reason

    def admit(self) -> None:
        """Begin transactions from now on."""
        self._unusable = None

    async def read(self, question: Callable[[ImageRepository], Awaitable[Result]], *, deadline: Deadline) -> Result:
        """Answer a question in a transaction that changes nothing; again when the connection was lost.

        Raises:
            DeadlineExceeded: it took too long; whoever asked does not wait for the statement to be given up.
        """

        async def once() -> Result:
            async with self.reading() as images:
                return await question(images)

        return await self._in_time(once, deadline)

    async def read_rows(self, question: Callable[[Connection], Result], *, deadline: Deadline) -> Result:
        """Answer a question as `read` does, without a session, which takes two fifths of a small question's time."""

        async def once() -> Result:
            self._require_usable()
            with failures.told():
                async with self._reading.begin() as connection:
                    return await connection.run_sync(question)

        return await self._in_time(once, deadline)

    async def _in_time(self, once: Callable[[], Awaitable[Result]], deadline: Deadline) -> Result:
        task = asyncio.create_task(repeated(once, deadline=deadline))
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may be waiting any more
        try:
            await asyncio.wait({task}, timeout=deadline.remaining_s())
        finally:
            if not task.done():
                task.cancel()
        if not task.done():
            raise DeadlineExceeded("the database did not answer in time")
        return task.result()

    async def finish(self) -> None:
        """Wait until each question that was given up has closed its connection, which must not be cut off in turn."""
        if self._asked:
            await asyncio.wait(self._asked, timeout=FINISH_TIMEOUT_S)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ImageRepository]:
        """Begin a transaction that changes nothing."""
        self._require_usable()
        with failures.told():
            async with _session(self._reading) as session, session.begin():
                yield ImageRepository(session)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[ImageRepository]:
        """Begin a transaction that is committed at the end, and rolled back by any exception."""
        async with self._change() as phase, _session(self._writing) as session, session.begin():
            yield ImageRepository(session)
            await session.flush()
            phase.is_committing = True

    @asynccontextmanager
    async def writing_rows(self) -> AsyncIterator[AsyncConnection]:
        """Begin one as `writing` does, without a session."""
        async with self._change() as phase, self._writing.begin() as connection:
            yield connection
            phase.is_committing = True

    async def ping(self) -> None:
        """Raise StorageUnavailable unless the database answers."""
        self._require_usable()
        with failures.told():
            async with self._reading.connect() as connection:
                await connection.execute(text("SELECT 1"))

    def _require_usable(self) -> None:
        if self._unusable is not None:
            raise StorageUnavailable(f"the database cannot be used yet: {self._unusable}")

    @asynccontextmanager
    async def _change(self) -> AsyncIterator[failures.Phase]:
        """Say what failures of a transaction that writes mean; who writes says how far it has come."""
        self._require_usable()
        phase = failures.Phase()
        async with self._in_turn():
            with failures.told(phase):
                yield phase

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        if self._turn is None:
            yield
            return
        try:
            async with asyncio.timeout(TURN_TIMEOUT_S):
                await self._turn.acquire()
        except TimeoutError as error:
            raise StorageUnavailable("too many changes wait for the database; try again shortly") from error
        try:
            yield
        finally:
            self._turn.release()


class _IndexedSession(Session):
    """A session that keeps what finds images in step with their rows, whoever changes them."""


event.listen(_IndexedSession, "after_flush", postings.keep_in_step)
event.listen(_IndexedSession, "after_flush", batch_following.follow)


def _session(engine: AsyncEngine) -> AsyncSession:
    return AsyncSession(engine, sync_session_class=_IndexedSession, expire_on_commit=False)
