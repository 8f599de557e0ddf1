"""The tables: images, the captions and labels given to them and still wanted, what finds them, what they look like.

`images` repeats what searching and sorting need (`label`, `label_source`, `status`, `certainty`, `search_words`,
`word_count`); `lineage.refresh` computes it from the image's analyses, which alone are the truth, and `postings` and
`label_counts` repeat it once more, in the same transaction. What a column is for stands in its
`info`, from where `diagram` takes it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Double, ForeignKey, Index, String, Text, select
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from shared.contracts import MAX_ENCODER_LENGTH, Kind, Source, Status
from storage_service.columns import RowNumber, Term, UtcDateTime, UuidBytes, VectorBytes
from storage_service.key_tables import ApiKey, KeyUploads
from storage_service.table_base import ON_MYSQL, Table

__all__ = ["ApiKey", "KeyUploads", "Table"]


class Image(Table):
    """One distinct file."""

    __tablename__ = "images"
    __table_args__ = (
        Index(None, "label"),
        Index(None, "status"),
        Index(None, "certainty"),
        Index(None, "label", "certainty"),
        Index(None, "created_at"),
        {"sqlite_autoincrement": True, **ON_MYSQL},
    )

    seq: Mapped[int] = mapped_column(RowNumber, primary_key=True, info={"about": "in the order of upload"})
    id: Mapped[UUID] = mapped_column(UuidBytes, unique=True, info={"about": "UUIDv7"})
    sha256: Mapped[str] = mapped_column(String(64), unique=True, info={"about": "of the original, hex"})
    filename: Mapped[str] = mapped_column(String(255), info={"about": "as uploaded, without control characters"})
    path: Mapped[str] = mapped_column(String(255), info={"about": "below the store"})
    media_type: Mapped[str] = mapped_column(String(100))
    width: Mapped[int] = mapped_column(info={"about": "pixels, upright"})
    height: Mapped[int] = mapped_column(info={"about": "pixels, upright"})
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[Status] = mapped_column(String(16), info={"about": "complete, pending, failed"})
    label: Mapped[str] = mapped_column(String(64), info={"about": "the current one"})
    label_source: Mapped[Source] = mapped_column(
        String(16), server_default="model", info={"about": "of the current label: model, person"}
    )
    certainty: Mapped[float] = mapped_column(Double, info={"about": "of the current label; 2 where none is in doubt"})
    search_words: Mapped[str] = mapped_column(Text, info={"about": "of caption, label and file name, in their order"})
    word_count: Mapped[int] = mapped_column(info={"about": "distinct ones"})
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, info={"about": "UTC"})
    failure: Mapped[str | None] = mapped_column(Text, info={"about": "why work was given up"})

    analyses: Mapped[list[Analysis]] = relationship(
        order_by="Analysis.seq", lazy="selectin", cascade="all, delete-orphan", passive_deletes=True
    )
    near_duplicate: Mapped[NearDuplicate | None] = relationship(
        foreign_keys="NearDuplicate.image_seq", lazy="selectin", cascade="all, delete-orphan", passive_deletes=True
    )


class Analysis(Table):
    """One caption or label that a model or a person gave to an image."""

    __tablename__ = "analyses"
    __table_args__ = (
        Index("analyses_model", "model_name", "model_version", "image_seq"),
        Index("analyses_given", "kind", "source", "created_at"),
        {"sqlite_autoincrement": True, **ON_MYSQL},
    )

    seq: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    image_seq: Mapped[int] = mapped_column(RowNumber, ForeignKey("images.seq", ondelete="CASCADE"), index=True)
    kind: Mapped[Kind] = mapped_column(String(16), info={"about": "caption, label"})
    value: Mapped[str] = mapped_column(Text)
    confidence: Mapped[float | None] = mapped_column(Double, info={"about": "none of a person's"})
    alternatives: Mapped[list[dict[str, Any]]] = mapped_column(JSON, info={"about": "best first"})
    source: Mapped[Source] = mapped_column(String(16), info={"about": "model, person"})
    model_name: Mapped[str | None] = mapped_column(String(255))
    model_version: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, info={"about": "UTC"})


class Posting(Table):
    """A term that finds an image: one of its words, or what it is filtered by."""

    __tablename__ = "postings"
    # No foreign key, which would need an index by image: `postings` takes away what goes with its image.
    __table_args__ = (Index(None, "word", "relevance"), {"sqlite_with_rowid": False, **ON_MYSQL})

    word: Mapped[str] = mapped_column(Term, primary_key=True)
    seq: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, info={"about": "of the image; clustered by word and seq"}
    )
    relevance: Mapped[int] = mapped_column(BigInteger, info={"about": "the image's words, then how new it is"})


class VocabularyWord(Table):
    """A word that some image has, or had; what a beginning may stand for is read from here."""

    __tablename__ = "vocabulary"
    __table_args__ = ({"sqlite_with_rowid": False, **ON_MYSQL},)

    word: Mapped[str] = mapped_column(Term, primary_key=True)


class LabelTotal(Table):
    """How many images carried a label when changes were last folded."""

    __tablename__ = "label_totals"
    __table_args__ = ON_MYSQL

    label: Mapped[str] = mapped_column(String(64), primary_key=True)
    images: Mapped[int] = mapped_column(BigInteger)


class LabelChange(Table):
    """By how much one transaction changed a label's count since."""

    __tablename__ = "label_changes"
    __table_args__ = ({"sqlite_autoincrement": True, **ON_MYSQL},)

    seq: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    label: Mapped[str] = mapped_column(String(64))
    images: Mapped[int] = mapped_column(BigInteger, info={"about": "more, or less"})


class Embedding(Table):
    """What an image looks like; a newer encoder's embedding takes the place of an older one's."""

    __tablename__ = "embeddings"
    __table_args__ = (Index(None, "encoder"), {"sqlite_autoincrement": True, **ON_MYSQL})

    seq: Mapped[int] = mapped_column(RowNumber, primary_key=True, info={"about": "key in the vector index"})
    image_seq: Mapped[int] = mapped_column(RowNumber, ForeignKey("images.seq", ondelete="CASCADE"), unique=True)
    encoder: Mapped[str] = mapped_column(
        String(MAX_ENCODER_LENGTH), info={"about": "only vectors of the same one compare"}
    )
    vector: Mapped[bytes] = mapped_column(VectorBytes, info={"about": "256 numbers, int8, the largest 127"})


class NearDuplicate(Table):
    """An image that is almost the same as one stored before."""

    __tablename__ = "near_duplicates"
    __table_args__ = ON_MYSQL

    image_seq: Mapped[int] = mapped_column(
        RowNumber, ForeignKey("images.seq", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    of_seq: Mapped[int] = mapped_column(RowNumber, ForeignKey("images.seq", ondelete="CASCADE"), index=True)
    distance: Mapped[float] = mapped_column(Double, info={"about": "of their embeddings"})

    of_id: Mapped[UUID] = column_property(select(Image.id).where(Image.seq == of_seq).scalar_subquery())


class PendingWork(Table):
    """A caption or label that an image still wants from a model."""

    __tablename__ = "pending_work"
    __table_args__ = (Index("pending_work_next", "kind", "priority", "due_at"), ON_MYSQL)

    image_seq: Mapped[int] = mapped_column(
        RowNumber, ForeignKey("images.seq", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    kind: Mapped[Kind] = mapped_column(String(16), primary_key=True, info={"about": "caption, label"})
    priority: Mapped[int] = mapped_column(info={"about": "0 has no word, 1 is asked again"})
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime, info={"about": "UTC; none when given up"})
    lease_token: Mapped[UUID | None] = mapped_column(
        UuidBytes, unique=True, info={"about": "of who works on it until due_at"}
    )
    attempts: Mapped[int] = mapped_column(default=0, info={"about": "that came to nothing"})
    refusals: Mapped[int] = mapped_column(default=0, info={"about": "of them, by a model, of this image"})
