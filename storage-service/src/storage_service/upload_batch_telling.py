"""Say of a batch how far it is; its state follows from its row and the time, so that a receiver that died needs no one.

A batch that is being received has a moment until when it is; whoever receives moves it on. Nobody has to notice that it
has passed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from shared.batch_contracts import Refusal
from shared.upload_batches import BatchCounts, BatchFile, BatchState, UploadBatch
from storage_service.upload_batch_tables import Batch, File

CANCELLED = "cancelled"
RATE_OVER = timedelta(minutes=1)
NOT_HEARD_OF = "whoever received it was not heard of any more"


def state_of(batch: Batch, *, now: datetime) -> BatchState:
    """Return what a batch is at."""
    if batch.ending == CANCELLED:
        return "cancelled"
    if batch.ending is None and batch.receiving_until > now:
        return "receiving"
    if batch.ending != "received":
        return "interrupted"
    return "working" if batch.pending else "complete"


def is_done(batch: Batch, *, now: datetime) -> bool:
    """Say whether nothing more changes by itself."""
    state = state_of(batch, now=now)
    return state == "cancelled" or (batch.pending == 0 and state != "receiving")


def minute_before(now: datetime, batch: Batch) -> datetime:
    """Return where a rate begins: a minute ago, or with the batch."""
    return max(batch.created_at, now - RATE_OVER)


def told(batch: Batch, *, now: datetime, done: int) -> UploadBatch:
    """Return a batch for the wire.

    Args:
        batch: Its row.
        now: When it is looked at.
        done: Its images that were described or given up since `minute_before`.
    """
    rate = done / max(1.0, (now - minute_before(now, batch)).total_seconds())
    state = state_of(batch, now=now)
    is_lost = state == "interrupted" and batch.ending is None
    return UploadBatch(
        id=batch.id,
        state=state,
        is_done=is_done(batch, now=now),
        reason=NOT_HEARD_OF if is_lost else batch.reason,
        counts=BatchCounts(**{name: getattr(batch, name) for name in BatchCounts.model_fields}),
        rate_per_s=round(rate, 3),
        eta_s=0 if batch.pending == 0 else round(batch.pending / rate, 1) if rate else None,
        created_at=batch.created_at,
        changes=batch.changes,
    )


def told_file(file: File, image_id: UUID | None) -> BatchFile:
    """Return a file for the wire."""
    return BatchFile(
        position=file.position,
        filename=file.filename,
        archive=file.archive,
        status=file.status,
        is_known=file.is_known,
        image_id=image_id,
        refusal=Refusal(code=file.code or "", detail=file.detail or "") if file.status == "refused" else None,
    )
