"""The services behind the gateway, as it speaks to them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

import httpx

from shared.contracts import (
    CaptionAnswer,
    ClassificationAnswer,
    Correction,
    Health,
    ImageAttention,
    ImageExplanation,
    ImagePage,
    ImageRecord,
    LabelCounts,
    NewImage,
)
from shared.deadline import Deadline
from shared.disposition import EXTENSIONS, content_disposition
from shared.errors import BadRequest, ForwardedProblem, NotFound, UpstreamFailed
from shared.http_client import ServiceClient
from shared.outline_contracts import ImageOutline
from shared.similar_images import SimilarImages

EXPORT_STEP_TIMEOUT_S = 90.0
"""Longer than storage takes to give up, so that its reason is heard."""

JPEG = {"Content-Type": "image/jpeg"}
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Captions(Protocol):
    """Whoever describes a preview."""

    async def caption(self, preview: bytes, *, deadline: Deadline) -> CaptionAnswer:
        """Return sentences for a JPEG, best first."""


class Labels(Protocol):
    """Whoever labels a preview."""

    async def classify(self, preview: bytes, *, deadline: Deadline) -> ClassificationAnswer:
        """Return labels for a JPEG, best first."""


class Images(Protocol):
    """Whoever keeps images."""

    async def find(self, sha256: str, *, deadline: Deadline) -> ImageRecord | None:
        """Return the record of these bytes, if they are known."""

    async def store(
        self, image: NewImage, original: bytes, preview: bytes, *, deadline: Deadline
    ) -> tuple[ImageRecord, bool]:
        """Keep an image; return its record and whether it is new."""


class CaptionClient:
    """caption-service; `headers` go with each request, such as `priority.BACKGROUND`."""

    def __init__(self, service: ServiceClient, *, headers: Mapping[str, str] = NO_HEADERS) -> None:
        self.service = service
        self._headers = {**JPEG, **headers}

    async def caption(self, preview: bytes, *, deadline: Deadline) -> CaptionAnswer:
        """Return sentences for a JPEG, best first, and its embedding where the installation's encoder makes one."""
        try:
            return await self._describe(preview, deadline, {"embedding": "true"})
        except ForwardedProblem as problem:
            if problem.status != BadRequest.status:
                raise
            return await self._describe(preview, deadline, {})  # its encoder came without a projection

    async def attend(self, preview: bytes, *, deadline: Deadline) -> ImageAttention:
        """Return what is said of a JPEG and where the model looked for each word."""
        answer = await self._describe(preview, deadline, {"attention": "true"})
        if not answer.attention:
            raise UpstreamFailed("caption-service answered without the attention that it was asked for")
        return ImageAttention(caption=answer.captions[0].value, words=answer.attention, model=answer.model)

    async def _describe(self, preview: bytes, deadline: Deadline, query: dict[str, str]) -> CaptionAnswer:
        return await self.service.call(
            CaptionAnswer,
            "POST",
            "/v1/captions",
            deadline=deadline,
            content=preview,
            headers=self._headers,
            params=query,
        )


class ClassifyClient:
    """classify-service; `headers` as with CaptionClient."""

    def __init__(self, service: ServiceClient, *, headers: Mapping[str, str] = NO_HEADERS) -> None:
        self.service = service
        self._headers = {**JPEG, **headers}

    async def classify(self, preview: bytes, *, deadline: Deadline) -> ClassificationAnswer:
        """Return labels for a JPEG, best first."""
        return await self.service.call(
            ClassificationAnswer,
            "POST",
            "/v1/classifications",
            deadline=deadline,
            content=preview,
            headers=self._headers,
        )

    async def explain(self, preview: bytes, *, deadline: Deadline) -> ImageExplanation:
        """Return what label a JPEG gets and what speaks for it."""
        answer = await self.service.call(
            ClassificationAnswer,
            "POST",
            "/v1/classifications",
            deadline=deadline,
            content=preview,
            headers=self._headers,
            params={"explain": "true"},
        )
        if not answer.explanation:
            raise UpstreamFailed("classify-service answered without the explanation that it was asked for")
        return ImageExplanation(
            label=answer.label, labels=answer.labels, evidence=answer.explanation, model=answer.model
        )


class StorageClient:
    """storage-service."""

    def __init__(self, service: ServiceClient) -> None:
        self.service = service

    async def find(self, sha256: str, *, deadline: Deadline) -> ImageRecord | None:
        """Return the record of these bytes, if they are known."""
        try:
            return await self.service.call(ImageRecord, "GET", f"/v1/images/by-sha256/{sha256}", deadline=deadline)
        except ForwardedProblem as problem:
            if problem.status == NotFound.status:
                return None
            raise

    async def store(
        self, image: NewImage, original: bytes, preview: bytes, *, deadline: Deadline
    ) -> tuple[ImageRecord, bool]:
        """Keep an image; return its record and whether it is new."""
        response = await self.service.send(
            "POST",
            "/v1/images",
            deadline=deadline,
            data={"record": image.model_dump_json()},
            files={
                "original": ("original", original, image.media_type),
                "preview": ("preview.jpg", preview, "image/jpeg"),
            },
        )
        return self.service.read(ImageRecord, response), response.status_code == httpx.codes.CREATED

    async def page(self, query: dict[str, str | int | float], *, deadline: Deadline) -> ImagePage:
        """Return one page of images."""
        return await self.service.call(ImagePage, "GET", "/v1/images", deadline=deadline, params=query)

    async def outline(self, query: dict[str, str | int | float], *, deadline: Deadline) -> ImageOutline:
        """Return the shapes of many images, and where their pages begin."""
        return await self.service.call(ImageOutline, "GET", "/v1/images/outline", deadline=deadline, params=query)

    async def get(self, image_id: UUID, *, deadline: Deadline) -> ImageRecord:
        """Return one image's record."""
        return await self.service.call(ImageRecord, "GET", f"/v1/images/{image_id}", deadline=deadline)

    async def correct(self, image_id: UUID, correction: Correction, *, deadline: Deadline) -> ImageRecord:
        """Keep a person's word about an image; return the corrected record."""
        words = correction.model_dump(exclude_none=True)
        return await self.service.call(ImageRecord, "PATCH", f"/v1/images/{image_id}", deadline=deadline, json=words)

    async def delete(self, image_id: UUID, *, deadline: Deadline) -> None:
        """Forget an image, its files and its words."""
        await self.service.send("DELETE", f"/v1/images/{image_id}", deadline=deadline)

    async def file(self, image_id: UUID, which: str, *, deadline: Deadline) -> tuple[bytes, str]:
        """Return the `content` or the `preview` of an image, and its media type."""
        response = await self.service.send("GET", f"/v1/images/{image_id}/{which}", deadline=deadline)
        return response.content, response.headers["content-type"]

    async def embedded(self, image_id: UUID, *, deadline: Deadline) -> tuple[bytes, str]:
        """Return a copy of an original that carries its caption and label, and its media type."""
        path, query = f"/v1/images/{image_id}/content", {"metadata": "embedded"}
        response = await self.service.send("GET", path, deadline=deadline, params=query)
        return response.content, response.headers["content-type"]

    def export(self, query: dict[str, str | int | float | list[str]]) -> AsyncGenerator[bytes]:
        """Yield the ZIP of the images that a query finds."""
        return self.service.stream("GET", "/v1/export", step_timeout_s=EXPORT_STEP_TIMEOUT_S, params=query)

    async def named_file(self, image_id: UUID, which: str, *, deadline: Deadline) -> tuple[bytes, str, dict[str, str]]:
        """Return a file, its media type, and the header with the name that it is saved under."""
        response = await self.service.send("GET", f"/v1/images/{image_id}/{which}", deadline=deadline)
        media_type = response.headers["content-type"]
        if media_type not in EXTENSIONS:  # a type that a browser might run is only ever saved
            media_type = "application/octet-stream"
        name = response.headers.get("content-disposition", content_disposition(str(image_id), media_type))
        return response.content, media_type, {"Content-Disposition": name}

    async def similar(self, image_id: UUID, *, limit: int, deadline: Deadline) -> SimilarImages:
        """Return the images that look most like one."""
        path = f"/v1/images/{image_id}/similar"
        return await self.service.call(SimilarImages, "GET", path, deadline=deadline, params={"limit": limit})

    async def labels(self, *, deadline: Deadline) -> LabelCounts:
        """Return how many images carry each label."""
        return await self.service.call(LabelCounts, "GET", "/v1/labels", deadline=deadline)


async def health_of(service: ServiceClient, *, deadline: Deadline) -> Health:
    """Return what a service says of its readiness; raises as `ServiceClient.send` does while it is not ready."""
    return await service.call(Health, "GET", "/health/ready", deadline=deadline)
