"""The tables of upload batches: what was sent in one go, and what became of each file.

`upload_batches` counts what `upload_batch_files` has, and these repeat each image's status; `batch_following` keeps
both in step, in the transaction that changes the image, so that nobody who looks on has to count thousands of rows.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from shared.upload_batches import FileStatus
from storage_service.columns import RowNumber, UtcDateTime, UuidBytes
from storage_service.table_base import ON_MYSQL, Table


class Batch(Table):
    """Files that were sent in one request."""

    __tablename__ = "upload_batches"
    __table_args__ = ({"sqlite_autoincrement": True, **ON_MYSQL},)

    seq: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    id: Mapped[UUID] = mapped_column(UuidBytes, unique=True, info={"about": "UUIDv7, or the client's choice"})
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, info={"about": "UTC"})
    receiving_until: Mapped[datetime] = mapped_column(
        UtcDateTime, info={"about": "UTC; later, without an ending, it was interrupted"}
    )
    ending: Mapped[str | None] = mapped_column(String(16), info={"about": "received, interrupted, cancelled"})
    reason: Mapped[str | None] = mapped_column(Text, info={"about": "why it was interrupted"})
    changes: Mapped[int] = mapped_column(BigInteger, default=0, info={"about": "of this row"})
    received: Mapped[int] = mapped_column(default=0, info={"about": "files looked at"})
    known: Mapped[int] = mapped_column(default=0, info={"about": "of them, stored before"})
    pending: Mapped[int] = mapped_column(default=0)
    complete: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    deleted: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)


class File(Table):
    """One file of a batch."""

    __tablename__ = "upload_batch_files"
    __table_args__ = (
        Index(None, "batch_seq", "status", "position"),
        Index(None, "batch_seq", "done_at"),
        ON_MYSQL,
    )

    batch_seq: Mapped[int] = mapped_column(
        RowNumber, ForeignKey("upload_batches.seq", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info={"about": "1 and on"})
    # No foreign key: what is known of a file outlives its image.
    image_seq: Mapped[int | None] = mapped_column(BigInteger, index=True, info={"about": "none when refused"})
    filename: Mapped[str] = mapped_column(String(255))
    archive: Mapped[str | None] = mapped_column(String(255), info={"about": "the ZIP that it came in"})
    status: Mapped[FileStatus] = mapped_column(
        String(16), info={"about": "the image's, or deleted; refused where there is none"}
    )
    is_known: Mapped[bool] = mapped_column(Boolean, info={"about": "its bytes were stored before"})
    code: Mapped[str | None] = mapped_column(String(64), info={"about": "why refused, for programs"})
    detail: Mapped[str | None] = mapped_column(Text, info={"about": "why refused, for people"})
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime, info={"about": "UTC; described or given up"})
