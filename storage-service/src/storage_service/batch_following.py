"""Keep the counts of upload batches in step with the images that came in them, whoever changes these.

It is called after each flush, in the transaction that changes the images. Who changes an image has locked it, and only
then come the batches, in their order: so two transactions wait for each other in one direction only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime

from sqlalchemy import Connection, select, tuple_, update
from sqlalchemy.orm import Session, attributes

from shared.upload_batches import FileStatus
from storage_service.tables import Image
from storage_service.upload_batch_tables import Batch, File

DELETED: FileStatus = "deleted"
_DONE = frozenset({"complete", "failed"})


def follow(session: Session, _: object) -> None:
    """Carry each changed status, and each deletion, over to the files and counts of its batches."""
    now: dict[int, FileStatus] = {
        image.seq: image.status
        for image in session.dirty
        if isinstance(image, Image) and attributes.get_history(image, "status").has_changes()
    }
    now |= {image.seq: DELETED for image in session.deleted if isinstance(image, Image)}
    if now:
        _carry_over(session.connection(), now)


def _carry_over(connection: Connection, now: dict[int, FileStatus]) -> None:
    files = select(File.batch_seq, File.position, File.image_seq, File.status).where(File.image_seq.in_(now))
    moved: dict[FileStatus, list[tuple[int, int]]] = defaultdict(list)
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for batch_seq, position, image_seq, before in connection.execute(files).all():
        after = now.get(image_seq or 0, before)
        if after != before:
            moved[after].append((batch_seq, position))
            counts[batch_seq].update({before: -1, after: 1})
    for status, keys in moved.items():
        done_at = datetime.now(UTC) if status in _DONE else None
        are_these = tuple_(File.batch_seq, File.position).in_(keys)
        connection.execute(update(File).where(are_these).values(status=status, done_at=done_at))
    for batch_seq, changes in sorted(counts.items()):
        values = {name: getattr(Batch, name) + by for name, by in changes.items() if by}
        connection.execute(update(Batch).where(Batch.seq == batch_seq).values(values | {"changes": Batch.changes + 1}))
