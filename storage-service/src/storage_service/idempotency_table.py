"""The table of requests that their clients may send twice."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from shared.idempotency import MOST_KEY_LETTERS
from storage_service.columns import UtcDateTime, UuidBytes
from storage_service.table_base import ON_MYSQL, Table


class IdempotencyRecord(Table):
    """A request that carried an Idempotency-Key, in flight or answered."""

    __tablename__ = "idempotency_records"
    __table_args__ = (Index(None, "expires_at"), ON_MYSQL)

    owner: Mapped[str] = mapped_column(String(64), primary_key=True, info={"about": "empty: nobody in particular"})
    request_key: Mapped[str] = mapped_column(String(MOST_KEY_LETTERS), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64), info={"about": "SHA-256 of the request, hex"})
    token: Mapped[UUID] = mapped_column(UuidBytes, unique=True, info={"about": "of who does it, or did"})
    in_flight_until: Mapped[datetime] = mapped_column(UtcDateTime, info={"about": "UTC; then another may take over"})
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, info={"about": "UTC; then the key is as new"})
    status: Mapped[int | None] = mapped_column(info={"about": "of the answer; none while in flight"})
    location: Mapped[str | None] = mapped_column(String(255))
    media_type: Mapped[str | None] = mapped_column(String(100))
    body: Mapped[str | None] = mapped_column(Text)
