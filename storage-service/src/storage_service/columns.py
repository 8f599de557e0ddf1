"""Column types that SQLite and MySQL both keep exactly."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import BINARY, BigInteger, DateTime, Dialect, Integer, LargeBinary, String
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeDecorator, TypeEngine

from shared.contracts import EMBEDDING_SIZE

# SQLite numbers rows by themselves only in a column declared INTEGER; it holds 64 bits all the same.
RowNumber = BigInteger().with_variant(Integer(), "sqlite")

# An embedding as `vectors.to_bytes` gives it; MySQL would keep a BLOB away from its row.
VectorBytes = LargeBinary(EMBEDDING_SIZE).with_variant(mysql.VARBINARY(EMBEDDING_SIZE), "mysql")

# A term of the index of words is ASCII: one byte a sign, compared as bytes.
Term = String(80).with_variant(mysql.VARCHAR(80, charset="ascii", collation="ascii_bin"), "mysql")


class UuidBytes(TypeDecorator[UUID]):
    """A UUID in its 16 bytes; SQLAlchemy's own type would take 32 characters on MySQL."""

    impl = BINARY(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[bytes]:
        """SQLite calls bytes of any length BLOB."""
        return dialect.type_descriptor(LargeBinary() if dialect.name == "sqlite" else BINARY(16))

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        """Turn a UUID into bytes."""
        return None if value is None else value.bytes

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> UUID | None:  # noqa: ARG002
        """Turn bytes into a UUID."""
        return None if value is None else UUID(bytes=value)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC, to the microsecond; neither database keeps a time zone."""

    impl = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn an aware time into UTC without a zone."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Say that the time is UTC."""
        return None if value is None else value.replace(tzinfo=UTC)
