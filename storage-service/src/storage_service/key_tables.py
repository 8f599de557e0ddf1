"""The tables of keys: who may call the gateway, and how much each has sent today."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, String
from sqlalchemy.orm import Mapped, mapped_column

from shared.key_contracts import KEY_ID_LENGTH, MAX_KEY_NAME, Scope
from storage_service.columns import UtcDateTime
from storage_service.table_base import ON_MYSQL, Table


class ApiKey(Table):
    """A key, of which only the hash is known here."""

    __tablename__ = "api_keys"
    __table_args__ = ON_MYSQL

    id: Mapped[str] = mapped_column(String(KEY_ID_LENGTH), primary_key=True, info={"about": "part of the key"})
    sha256: Mapped[str] = mapped_column(String(64), info={"about": "of the whole key, hex"})
    name: Mapped[str] = mapped_column(String(MAX_KEY_NAME))
    scope: Mapped[Scope] = mapped_column(
        String(16), info={"about": "read, write, admin; each may do what the former may"}
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, info={"about": "UTC"})
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime, info={"about": "UTC, to the minute"})
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime, info={"about": "UTC"})
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime, info={"about": "UTC"})


class KeyUploads(Table):
    """How many bytes were uploaded with a key on one day."""

    __tablename__ = "key_uploads"
    # No foreign key: the key of GATEWAY_ADMIN_KEY_FILE has no row.
    __table_args__ = ON_MYSQL

    key_id: Mapped[str] = mapped_column(String(KEY_ID_LENGTH), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True, info={"about": "UTC"})
    sent_bytes: Mapped[int] = mapped_column(BigInteger)
