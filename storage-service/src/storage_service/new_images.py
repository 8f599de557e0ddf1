"""Turn what is known of a new image into its row, with the place where its file belongs."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from shared.contracts import Correction, NewImage
from storage_service import lineage, new_rows
from storage_service.filenames import clean_filename, filed_path
from storage_service.new_rows import NewRow
from storage_service.tables import Image
from storage_service.uuid7 import uuid7


def image_of(new: NewImage, *, size_bytes: int, image_id: UUID | None = None, said: Correction | None = None) -> NewRow:
    """Return a row for a new image, with what is known of it and the path where its file belongs."""
    words = []
    if new.classification is not None:
        words.append(new_rows.label_said(new.classification))
    if new.caption is not None:
        words.append(new_rows.caption_said(new.caption))
    if said is not None:
        words += new_rows.said_instead(said)
    image = NewRow(
        id=image_id or uuid7(),
        sha256=new.sha256,
        filename=clean_filename(new.filename),
        media_type=new.media_type,
        width=new.width,
        height=new.height,
        size_bytes=size_bytes,
        created_at=datetime.now(UTC),
        analyses=words,
    )
    lineage.refresh(image)
    image.path = path_of(image)
    return image


def path_of(image: Image | NewRow) -> str:
    """Return where an image's original belongs under the label that it has, relative to the store."""
    return filed_path(label=image.label, filename=image.filename, image_id=image.id, media_type=image.media_type)
