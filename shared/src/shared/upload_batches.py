"""What travels about batches of uploads: many files sent in one request, stored at once and described later.

Not to be confused with `batch_contracts`, where many images are stored in one internal request.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from shared.batch_contracts import Refusal
from shared.contracts import Wire

MOST_NOTES = 500
MOST_REFUSED_SHOWN = 100
LONGEST_RECEIVING_S = 600.0

BatchState = Literal["receiving", "working", "complete", "interrupted", "cancelled"]
FileStatus = Literal["pending", "complete", "failed", "deleted", "refused"]
Ending = Literal["received", "interrupted"]
FileName = Annotated[str, StringConstraints(max_length=255)]


class BatchCounts(Wire):
    """Files of a batch; `received` is the sum of all others but `known`."""

    received: int = Field(default=0, description="Files looked at; of a ZIP its entries.")
    known: int = Field(default=0, description="Of them, those whose bytes were stored before.")
    pending: int = Field(default=0, description="Images that still wait for a model.")
    complete: int = 0
    failed: int = Field(default=0, description="Images given up, or not described since the batch was cancelled.")
    deleted: int = Field(default=0, description="Images that somebody has deleted since.")
    refused: int = 0


class BatchFile(Wire):
    """One file of a batch and what became of it."""

    position: int = Field(ge=1, description="In the order in which files were noted.")
    filename: str
    archive: str | None = Field(description="Name of the ZIP that it came in; null for a file of its own.")
    status: FileStatus
    is_known: bool = Field(description="Its bytes were stored before.")
    image_id: UUID | None = Field(description="Null when refused or deleted.")
    refusal: Refusal | None = None


class UploadBatch(Wire):
    """A batch: how far it has come."""

    id: UUID
    state: BatchState = Field(
        description="`receiving`: files are still being sent; `working`: all came, models still have to say something; "
        "`interrupted`: the sending broke off, and what came by then is kept and described."
    )
    is_done: bool = Field(description="Nothing more changes by itself.")
    reason: str | None = Field(description="Why it was interrupted, where that is known.")
    counts: BatchCounts
    rate_per_s: float = Field(description="Images described or given up in a second, over the last minute.")
    eta_s: float | None = Field(description="Until nothing is pending, at this rate; null while there is none.")
    created_at: datetime
    changes: int = Field(description="Grows with each change of the counts or the state.")
    refused: list[BatchFile] = Field(
        default=[], description=f"The first {MOST_REFUSED_SHOWN} refused files; empty in a list of batches."
    )


class UploadBatches(Wire):
    """One page of batches, the newest first."""

    items: list[UploadBatch]
    next_cursor: str | None


class BatchFiles(Wire):
    """One page of a batch's files, in the order in which they were noted."""

    items: list[BatchFile]
    next_cursor: str | None


class BatchLinks(Wire):
    """Where more is told about a batch; paths of the public API."""

    batch: str
    events: str
    files: str


class LinkedBatch(UploadBatch):
    """A batch as the public sees it."""

    links: BatchLinks


class LinkedBatches(Wire):
    """One page of batches as the public sees them, the newest first."""

    items: list[LinkedBatch]
    next_cursor: str | None


class NewBatch(Wire):
    """Begins a batch."""

    id: UUID | None = Field(default=None, description="Chosen by the client; else the service chooses one.")
    receiving_s: float = Field(gt=0, le=LONGEST_RECEIVING_S, description="Without news for so long: interrupted.")


class NotedFile(Wire):
    """A file that was stored or refused."""

    position: int = Field(ge=1)
    filename: FileName
    archive: FileName | None = None
    image_id: UUID | None = None
    is_known: bool = False
    refusal: Refusal | None = None

    @model_validator(mode="after")
    def _is_stored_or_refused(self) -> Self:
        if (self.image_id is None) == (self.refusal is None):
            raise ValueError("a stored file has its image, a refused one its reason")
        return self


class BatchNews(Wire):
    """What whoever receives a batch has to say: files, the end, or only that it still receives.

    Positions grow. Those that are noted already are passed over, so that news may be sent again.
    """

    files: list[NotedFile] = Field(default=[], max_length=MOST_NOTES)
    receiving_s: float = Field(gt=0, le=LONGEST_RECEIVING_S)
    ending: Ending | None = None
    reason: str | None = Field(default=None, max_length=500)
