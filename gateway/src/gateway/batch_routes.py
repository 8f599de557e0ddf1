"""The part of the public API about batches: many files in one request, stored at once and described later.

Annotations are evaluated here, not postponed: the deadline's dependency is made inside `batch_routes`.
"""

from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from gateway.batch_account import BatchCancelled
from gateway.batch_client import BatchClient
from gateway.batch_events import BatchEvents, Told
from gateway.batch_limits import NoFiles, TooManyFiles
from gateway.batch_receiving import BatchReceiving
from gateway.file_parts import read_file_parts
from gateway.routes import BEHIND, PREFIX
from shared.contracts import MAX_PAGE_SIZE
from shared.deadline import DEADLINE_HEADER, Deadline
from shared.errors import NotFound, ServiceError, problem_responses
from shared.long_stream import LongStream
from shared.upload_batches import BatchFiles, BatchLinks, FileStatus, LinkedBatch, LinkedBatches, UploadBatch

DEFAULT_BATCHES = 20
DEFAULT_FILES = 100
NOT_KEPT = {"Cache-Control": "no-store"}

FILES_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "minItems": 1,
                            "description": "Images and ZIPs of images, in any order.",
                        }
                    },
                }
            }
        },
    }
}
ONE_BATCH = problem_responses(NotFound)
SENDING = problem_responses(BatchCancelled, TooManyFiles, NoFiles)
LIVE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "Events `progress` and `refused`, until it is done."},
    204: {"description": "It is done, and everything has been told: come back no more."},
}


def linked(batch: UploadBatch) -> LinkedBatch:
    """Return a batch with where more is told about it."""
    path = f"{PREFIX}/batches/{batch.id}"
    links = BatchLinks(batch=path, events=f"{path}/events", files=f"{path}/files")
    return LinkedBatch(**dict(batch), links=links)


def batch_routes(
    receiving: BatchReceiving,
    batches: BatchClient,
    events: BatchEvents,
    *,
    longest_deadline_s: float,
    stall_timeout_s: float,
) -> APIRouter:
    """Return the routes; sending a batch and watching one may take any time, but must go on."""
    router = APIRouter(prefix=PREFIX, tags=["batches"], responses=BEHIND)

    async def _deadline(deadline_ms: Annotated[str | None, Header(alias=DEADLINE_HEADER)] = None) -> Deadline:
        return Deadline.from_header(deadline_ms, longest_s=longest_deadline_s)

    Within = Annotated[Deadline, Depends(_deadline)]  # noqa: N806  # it is a type

    @router.post("/batches", status_code=202, openapi_extra=FILES_FORM, responses=SENDING)
    async def send_batch(
        request: Request,
        response: Response,
        batch_id: Annotated[
            UUID | None, Query(alias="id", description="Choose it to watch or cancel the batch while it is being sent.")
        ] = None,
    ) -> LinkedBatch:
        """Keep many images and ZIPs of images at once, described later; one that is refused refuses no other."""
        with receiving.admitted():
            parts = read_file_parts(
                request.stream(),
                content_type=request.headers.get("content-type", ""),
                stall_timeout_s=stall_timeout_s,
            )
            received = await receiving.receive(parts, batch_id)
        with suppress(ServiceError):  # all is stored: a list that cannot be had now is had from the batch later
            received = await batches.get(received.id, deadline=Deadline.after(longest_deadline_s))
        batch = linked(received)
        response.headers["Location"] = batch.links.batch
        return batch

    @router.get("/batches")
    async def list_batches(
        deadline: Within,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)] = DEFAULT_BATCHES,
        cursor: Annotated[str | None, Query(max_length=50)] = None,
    ) -> LinkedBatches:
        """List batches, the newest first, without what was refused of them."""
        page = await batches.page(limit=limit, cursor=cursor, deadline=deadline)
        return LinkedBatches(items=[linked(batch) for batch in page.items], next_cursor=page.next_cursor)

    @router.get("/batches/{batch_id}", responses=ONE_BATCH)
    async def get_batch(batch_id: UUID, deadline: Within) -> LinkedBatch:
        """Tell how far a batch is: its state, counts, rate, remaining time, and the first files that were refused."""
        return linked(await batches.get(batch_id, deadline=deadline))

    @router.get("/batches/{batch_id}/files", responses=ONE_BATCH)
    async def list_files(
        batch_id: UUID,
        deadline: Within,
        status: FileStatus | None = None,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)] = DEFAULT_FILES,
        cursor: Annotated[str | None, Query(max_length=50)] = None,
    ) -> BatchFiles:
        """List a batch's files: which image each became, or why it was refused."""
        return await batches.files(batch_id, status=status, limit=limit, cursor=cursor, deadline=deadline)

    @router.get("/batches/{batch_id}/events", response_class=Response, responses=ONE_BATCH | LIVE)
    async def watch_batch(
        batch_id: UUID,
        deadline: Within,
        last_event_id: Annotated[str | None, Header(max_length=100)] = None,
    ) -> Response:
        """Tell live how far a batch is, as server-sent events; `Last-Event-ID` goes on where a stream broke off."""
        batch = await batches.get(batch_id, deadline=deadline)
        told = Told.read(last_event_id)
        if batch.is_done and told.is_all_of(batch):
            return Response(status_code=204)
        return LongStream(
            events.stream(batch, told),
            stall_timeout_s=stall_timeout_s,
            media_type="text/event-stream",
            headers=NOT_KEPT,
        )

    @router.delete("/batches/{batch_id}", responses=ONE_BATCH)
    async def cancel_batch(batch_id: UUID, deadline: Within) -> LinkedBatch:
        """Describe no more of a batch; what is stored stays, and a retry has it described all the same."""
        return linked(await batches.cancel(batch_id, deadline=deadline))

    return router
