"""What storage-service knows of batches of uploads."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from shared.deadline import Deadline
from shared.http_client import ServiceClient
from shared.upload_batches import BatchFiles, BatchNews, FileStatus, NewBatch, UploadBatch, UploadBatches


class Batches(Protocol):
    """Whoever keeps account of batches."""

    async def begin(self, new: NewBatch, *, deadline: Deadline) -> UploadBatch:
        """Begin a batch."""

    async def note(self, batch_id: UUID, news: BatchNews, *, deadline: Deadline) -> UploadBatch:
        """Say what has come; the same may be said again."""

    async def cancel(self, batch_id: UUID, *, deadline: Deadline) -> UploadBatch:
        """Describe no more of a batch."""


class BatchClient:
    """The part of storage-service that keeps account of batches."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def begin(self, new: NewBatch, *, deadline: Deadline) -> UploadBatch:
        """Begin a batch."""
        asked = new.model_dump(mode="json")
        return await self._service.call(UploadBatch, "POST", "/v1/batches", deadline=deadline, json=asked)

    async def note(self, batch_id: UUID, news: BatchNews, *, deadline: Deadline) -> UploadBatch:
        """Say what has come; the same may be said again."""
        said, path = news.model_dump(mode="json"), f"/v1/batches/{batch_id}/news"
        return await self._service.call(UploadBatch, "POST", path, deadline=deadline, json=said)

    async def get(self, batch_id: UUID, *, deadline: Deadline) -> UploadBatch:
        """Return how far a batch has come."""
        return await self._service.call(UploadBatch, "GET", f"/v1/batches/{batch_id}", deadline=deadline)

    async def page(self, *, limit: int, cursor: str | None, deadline: Deadline) -> UploadBatches:
        """Return batches, the newest first."""
        query = _given(limit=limit, cursor=cursor)
        return await self._service.call(UploadBatches, "GET", "/v1/batches", deadline=deadline, params=query)

    async def files(
        self, batch_id: UUID, *, status: FileStatus | None, limit: int, cursor: str | None, deadline: Deadline
    ) -> BatchFiles:
        """Return files of a batch, in the order in which they were noted."""
        query, path = _given(status=status, limit=limit, cursor=cursor), f"/v1/batches/{batch_id}/files"
        return await self._service.call(BatchFiles, "GET", path, deadline=deadline, params=query)

    async def cancel(self, batch_id: UUID, *, deadline: Deadline) -> UploadBatch:
        """Describe no more of a batch."""
        return await self._service.call(UploadBatch, "DELETE", f"/v1/batches/{batch_id}", deadline=deadline)


def _given(**query: str | int | None) -> dict[str, str | int]:
    return {name: value for name, value in query.items() if value is not None}
