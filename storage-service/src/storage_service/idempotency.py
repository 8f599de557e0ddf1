"""Let a request with a key be done once, however often it is sent; its answer is kept and given again.

Who claims a key does its request, unless somebody does or has done it. A claim ends by itself, so that a gateway which
is killed in the middle blocks no key for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.deadline import Deadline
from shared.idempotency import KeyClaim, KeyClaimed, KeyReused, RequestInFlight, StoredAnswer
from storage_service.database import Database
from storage_service.errors import LeaseLost, TransactionUndone
from storage_service.idempotency_table import IdempotencyRecord
from storage_service.repeating import repeated

EXPIRED_A_CLAIM = 20
"""Each new key clears away so many old ones, so that they cannot pile up."""


def _now() -> datetime:
    return datetime.now(UTC)


class Idempotency:
    """Claims keys, keeps answers, gives keys back."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._clock = clock

    async def claim(self, claim: KeyClaim, *, deadline: Deadline) -> KeyClaimed:
        """Take a key, or return what its request was answered with.

        Raises:
            KeyReused: it was used for another request.
            RequestInFlight: somebody else is at it.
        """
        return await repeated(lambda: self._claim(claim), deadline=deadline)

    async def finish(self, token: UUID, answer: StoredAnswer, *, deadline: Deadline) -> None:
        """Keep an answer.

        Raises:
            LeaseLost: somebody else has taken over.
        """
        await repeated(lambda: self._finish(token, answer), deadline=deadline)

    async def release(self, token: UUID, *, deadline: Deadline) -> None:
        """Forget an attempt that came to nothing, so that the next one may begin at once."""
        await repeated(lambda: self._release(token), deadline=deadline)

    async def _claim(self, claim: KeyClaim) -> KeyClaimed:
        now = self._clock()
        async with self._database.writing() as images:
            record = await _find(images.session, claim)
            if record is None:
                await _forget_expired(images.session, now=now)
                images.session.add(_claimed(claim, now=now))
                try:
                    await images.session.flush()
                except IntegrityError as error:
                    raise TransactionUndone("the same key was claimed at this moment; try again") from error
                return KeyClaimed()
            if record.expires_at <= now:
                _take_over(record, claim, now=now)
                return KeyClaimed()
            if record.fingerprint != claim.fingerprint:
                raise KeyReused("this Idempotency-Key was used for another request; use a new one for each")
            if record.status is not None:
                return KeyClaimed(answer=_answer(record))
            if record.token != claim.token and record.in_flight_until > now:
                raise RequestInFlight("the first request with this Idempotency-Key is not done yet; ask again shortly")
            _take_over(record, claim, now=now)
            return KeyClaimed()

    async def _finish(self, token: UUID, answer: StoredAnswer) -> None:
        async with self._database.writing() as images:
            found = select(IdempotencyRecord).where(IdempotencyRecord.token == token).with_for_update()
            record: IdempotencyRecord | None = await images.session.scalar(found)
            if record is None:
                raise LeaseLost("another attempt has taken this key over")
            record.status, record.location = answer.status, answer.location
            record.media_type, record.body = answer.media_type, answer.body

    async def _release(self, token: UUID) -> None:
        async with self._database.writing() as images:
            unanswered = (IdempotencyRecord.token == token, IdempotencyRecord.status.is_(None))
            await images.session.execute(delete(IdempotencyRecord).where(*unanswered))


async def _find(session: AsyncSession, claim: KeyClaim) -> IdempotencyRecord | None:
    statement = select(IdempotencyRecord).where(
        IdempotencyRecord.owner == claim.owner, IdempotencyRecord.request_key == claim.key
    )
    record: IdempotencyRecord | None = await session.scalar(statement.with_for_update())
    return record


async def _forget_expired(session: AsyncSession, *, now: datetime) -> None:
    expired = select(IdempotencyRecord).where(IdempotencyRecord.expires_at <= now).limit(EXPIRED_A_CLAIM)
    for record in await session.scalars(expired.with_for_update(skip_locked=True)):
        await session.delete(record)


def _claimed(claim: KeyClaim, *, now: datetime) -> IdempotencyRecord:
    record = IdempotencyRecord(owner=claim.owner, request_key=claim.key)
    _take_over(record, claim, now=now)
    return record


def _take_over(record: IdempotencyRecord, claim: KeyClaim, *, now: datetime) -> None:
    record.fingerprint, record.token = claim.fingerprint, claim.token
    record.in_flight_until = now + timedelta(seconds=claim.in_flight_s)
    record.expires_at = now + timedelta(seconds=max(claim.keep_s, claim.in_flight_s))
    record.status = record.location = record.media_type = record.body = None


def _answer(record: IdempotencyRecord) -> StoredAnswer:
    return StoredAnswer(
        status=record.status or 0, location=record.location, media_type=record.media_type or "", body=record.body or ""
    )
