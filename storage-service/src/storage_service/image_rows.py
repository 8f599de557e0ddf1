"""Whether an image is stored, and the rows of a new one with all that has been said of it, past any session.

A session remembers what it has read and compares it with what is to be written. Nothing is read here, so it would only
take time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from shared.contracts import CaptionAnswer
from storage_service import postings
from storage_service.embeddings import embedding_of, insert_embeddings
from storage_service.new_rows import NewRow
from storage_service.numbered_rows import insert_numbered
from storage_service.pending_work import want_all_missing
from storage_service.tables import Analysis, Embedding, Image

_SEQ_BY_SHA256 = select(Image.__table__.c.seq).where(Image.__table__.c.sha256 == bindparam("sha256"))


class AlreadyStored(Exception):
    """Another image with the same bytes has a row."""


def is_stored(connection: Connection, sha256: str) -> bool:
    """Say whether there is an image of these bytes."""
    return connection.scalar(_SEQ_BY_SHA256, {"sha256": sha256}) is not None


def enter(connection: Connection, images: Sequence[NewRow]) -> None:
    """Insert new images with their analyses; they get their row numbers.

    Raises:
        AlreadyStored: the SHA-256 of one of them is not new.
    """
    try:
        seqs = insert_numbered(connection, Image, [image.row() for image in images], key="id")
    except IntegrityError as error:
        raise AlreadyStored from error
    for image in images:
        image.seq = seqs[image.id]
    if analyses := [said.row() | {"image_seq": image.seq} for image in images for said in image.analyses]:
        connection.execute(insert(Analysis), analyses)
    postings.enter(connection, images)


def enter_whole(
    connection: Connection, answers: Iterable[tuple[NewRow, CaptionAnswer | None]]
) -> dict[UUID, Embedding]:
    """Do so, ask for the words that are missing, and keep the embeddings; return these by their images' ids."""
    answers = list(answers)
    images = [image for image, _ in answers]
    enter(connection, images)
    want_all_missing(connection, images)
    embeddings = {image.id: embedding for image, answer in answers if (embedding := embedding_of(image, answer))}
    if embeddings:
        insert_embeddings(connection, list(embeddings.values()))
    return embeddings
