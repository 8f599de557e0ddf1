"""One upload from bytes to record: hygiene, known bytes, both models at once, storage.

The models may fail; the image is kept all the same with what is known. Only hygiene and storage can refuse it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

from gateway.clients import Captions, Images, Labels
from gateway.hygiene import Hygiene
from shared.contracts import (
    Alternative,
    Analysis,
    CaptionAnswer,
    ClassificationAnswer,
    ImageRecord,
    ModelName,
    NewImage,
    Word,
)
from shared.deadline import Deadline
from shared.errors import DeadlineExceeded, Overloaded, ServiceError
from shared.previews import Inspection

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

STORAGE_RESERVE_S = 3.0
"""Of every deadline so much is kept for storing, or a slow model would cost the image."""


@dataclass(frozen=True)
class UploadLimits:
    """How much is taken, and for how long a model is waited for."""

    model_timeout_s: float
    uploads_at_once: int


class Uploads:
    """Takes images in."""

    def __init__(
        self, *, captions: Captions, labels: Labels, images: Images, hygiene: Hygiene, limits: UploadLimits
    ) -> None:
        self._captions = captions
        self._labels = labels
        self._images = images
        self._hygiene = hygiene
        self._limits = limits
        self._in_progress = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def upload(self, image: bytes, filename: str, *, deadline: Deadline) -> tuple[ImageRecord, bool]:
        """Keep an image; return its record and whether it is new.

        Raises:
            UnsupportedImage, BrokenImage, ImageTooLarge: hygiene refuses it.
            Overloaded: too many uploads are in progress.
            UpstreamFailed, DeadlineExceeded: it could not be stored.
        """
        sha256 = await self._hygiene.fingerprint(image, deadline=deadline)
        if known := await self._images.find(sha256, deadline=deadline):
            return known, False
        inspection = await self._hygiene.inspect(image, deadline=deadline)
        caption, classification = await asyncio.gather(
            self._unless_it_fails("caption", self._captions.caption, inspection, deadline),
            self._unless_it_fails("classify", self._labels.classify, inspection, deadline),
        )
        new = _new_image(filename, sha256, inspection, caption, classification)
        record, is_new = await self._images.store(new, image, inspection.preview, deadline=deadline)
        log.info("image_stored", extra={"image_id": record.id, "label": record.label.value, "status": record.status})
        return record, is_new

    async def keep(self, image: bytes, filename: str, *, deadline: Deadline) -> tuple[ImageRecord, bool]:
        """Keep an image at once, as `pending`; return and raise as `upload` does."""
        sha256 = await self._hygiene.fingerprint(image, deadline=deadline)
        if known := await self._images.find(sha256, deadline=deadline):
            return known, False
        inspection = await self._hygiene.inspect(image, deadline=deadline)
        new = _new_image(filename, sha256, inspection, None, None)
        return await self._images.store(new, image, inspection.preview, deadline=deadline)

    async def analyse(self, image: bytes, *, deadline: Deadline) -> Analysis:
        """Return what the models say, and keep nothing; a model that fails fails the request."""
        inspection = await self._hygiene.inspect(image, deadline=deadline)
        caption, classification = await asyncio.gather(
            self._captions.caption(inspection.preview, deadline=deadline),
            self._labels.classify(inspection.preview, deadline=deadline),
        )
        return _analysis(caption, classification)

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Count one upload while it lasts.

        Raises:
            Overloaded: as many as are allowed are in progress already.
        """
        if self._in_progress >= self._limits.uploads_at_once:
            raise Overloaded(f"{self._in_progress} uploads are in progress already; try again shortly")
        self._in_progress += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._in_progress -= 1
            if self._in_progress == 0:
                self._quiet.set()

    async def wait_for_quiet(self, *, at_most_s: float) -> None:
        """Return when no upload is in progress, or after `at_most_s` all the same."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._quiet.wait()

    async def _unless_it_fails(
        self,
        service: str,
        ask: Callable[..., Awaitable[Answer]],
        inspection: Inspection,
        deadline: Deadline,
    ) -> Answer | None:
        remaining_s = deadline.remaining_s() - STORAGE_RESERVE_S
        try:
            if remaining_s <= 0:
                raise DeadlineExceeded("the deadline leaves no time for the models")
            model_deadline = Deadline.after(min(self._limits.model_timeout_s, remaining_s))
            return await ask(inspection.preview, deadline=model_deadline)
        except ServiceError as error:
            log.warning("stored_without", extra={"service": service, "code": error.code, "reason": error.detail})
            return None


def _new_image(
    filename: str,
    sha256: str,
    inspection: Inspection,
    caption: CaptionAnswer | None,
    classification: ClassificationAnswer | None,
) -> NewImage:
    return NewImage(
        filename=filename,
        sha256=sha256,
        media_type=inspection.media_type,
        width=inspection.width,
        height=inspection.height,
        caption=caption,
        classification=classification,
    )


def _analysis(caption: CaptionAnswer, classification: ClassificationAnswer) -> Analysis:
    best = classification.labels[0]
    label = Alternative(value=classification.label, confidence=best.confidence)
    return Analysis(
        label=_word(label, classification.model),
        labels=classification.labels,
        caption=_word(caption.captions[0], caption.model),
        captions=caption.captions,
    )


def _word(alternative: Alternative, model: ModelName) -> Word:
    return Word(
        value=alternative.value,
        confidence=alternative.confidence,
        source="model",
        model=f"{model.name}@{model.version}",
    )
