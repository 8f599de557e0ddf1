"""One upload from bytes to record: hygiene, known bytes, both models at once, storage.

The models may fail; the image is kept all the same with what is known. Only hygiene and storage can refuse it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from gateway.clients import Captions, Images, Labels
from gateway.hygiene import Hygiene
from gateway.model_words import analysis_of, new_image
from gateway.news import News
from gateway.upload_limits import FOR_STORING, FOR_WAITING, STORAGE_RESERVE_S, STORING_TAKES_AT_MOST, UploadLimits
from shared.contracts import Analysis, CaptionAnswer, ClassificationAnswer, ImageRecord
from shared.deadline import Deadline
from shared.errors import DeadlineExceeded, Overloaded, ServiceError
from shared.previews import Inspection
from shared.waiting import WaitEstimate

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class Uploads:
    """Takes images in."""

    def __init__(
        self,
        *,
        captions: Captions,
        labels: Labels,
        images: Images,
        hygiene: Hygiene,
        limits: UploadLimits,
        require_storage: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._captions = captions
        self._labels = labels
        self._images = images
        self._hygiene = hygiene
        self._limits = limits
        self._require_storage = require_storage
        self._clock = clock
        self._estimate = WaitEstimate(at_once=limits.uploads_at_once)
        self._storing = WaitEstimate(at_once=1)
        # Of all that must be done for one, the models left out; shared by as many as are at it.
        self._needed = WaitEstimate(at_once=1)
        # Of the time with the models; shared by as many as ask them.
        self._asking = WaitEstimate(at_once=1)
        self._in_progress = 0
        self._asking_models = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self.left_over = News()
        """That an image was stored as `pending`."""

    async def upload(self, image: bytes, filename: str, *, deadline: Deadline) -> tuple[ImageRecord, bool]:
        """Keep an image; return its record and whether it is new.

        Raises:
            UnsupportedImage, BrokenImage, ImageTooLarge: hygiene refuses it.
            Overloaded: too many uploads are in progress.
            UpstreamFailed, DeadlineExceeded: it could not be stored.
        """
        began, beside = self._clock(), max(1, self._at_hand)
        sha256 = await self.sha256(image, deadline=deadline)
        looking = self._hygiene.looking(image, deadline=self._before_storing(deadline), soon=self._in_progress <= 1)
        async with looking as inspection_of:
            if known := await self._images.find(sha256, deadline=deadline):
                return known, False
            inspection = await inspection_of()
        looked_s = self._clock() - began
        caption, classification = await self._words(inspection, deadline=deadline)
        new = new_image(filename, sha256, inspection, caption, classification)
        started = self._clock()
        try:
            record, is_new = await self._images.store(new, image, inspection.preview, deadline=deadline)
        finally:
            storing_s = self._clock() - started
            self._storing.note(storing_s)
            self._needed.note((looked_s + storing_s) / beside)
        if record.status == "pending":
            self.left_over.tell()
        log.info("image_stored", extra={"image_id": record.id, "label": record.label.value, "status": record.status})
        return record, is_new

    async def _words(
        self, inspection: Inspection, *, deadline: Deadline
    ) -> tuple[CaptionAnswer | None, ClassificationAnswer | None]:
        """Return what the models say in time; where too many wait for them already, they are asked later."""
        beside = self._asking_models + 1
        if not self._asking.is_in_time(self._asking_models, remaining_s=FOR_WAITING * self._model_s(deadline)):
            log.info("models_busy", extra={"waiting": self._asking_models})
            return None, None
        started = self._clock()
        with self._waiting_for_models():
            words = await asyncio.gather(
                self._unless_it_fails("caption", self._captions.caption, inspection, deadline),
                self._unless_it_fails("classify", self._labels.classify, inspection, deadline),
            )
        self._asking.note((self._clock() - started) / beside)
        return words

    async def sha256(self, image: bytes, *, deadline: Deadline) -> str:
        """Return what makes two files the same image, as hex."""
        return await self._hygiene.fingerprint(image, deadline=deadline)

    async def keep(self, image: bytes, filename: str, *, deadline: Deadline) -> tuple[ImageRecord, bool]:
        """Keep an image at once, as `pending`; return and raise as `upload` does."""
        sha256 = await self.sha256(image, deadline=deadline)
        if known := await self._images.find(sha256, deadline=deadline):
            return known, False
        inspection = await self._hygiene.inspect(image, deadline=deadline)
        new = new_image(filename, sha256, inspection, None, None)
        record, is_new = await self._images.store(new, image, inspection.preview, deadline=deadline)
        self.left_over.tell()
        return record, is_new

    async def analyse(self, image: bytes, *, deadline: Deadline) -> Analysis:
        """Return what the models say, and keep nothing; a model that fails fails the request."""
        inspection = await self._hygiene.inspect(image, deadline=deadline)
        with self._waiting_for_models():
            caption, classification = await asyncio.gather(
                self._captions.caption(inspection.preview, deadline=deadline),
                self._labels.classify(inspection.preview, deadline=deadline),
            )
        return analysis_of(caption, classification)

    @property
    def places_taken(self) -> float:
        """Share of the places for uploads that are taken, 0 to 1."""
        return self._in_progress / self._limits.uploads_at_once

    def require_room(self, *, deadline: Deadline, begun: int = 0) -> None:
        """Refuse an upload that cannot be kept, before its bytes are read.

        `begun` have been let in: those in progress, and those that are about to be.

        Raises:
            Overloaded: too many are in progress, or it could not be decoded or stored in time.
            UpstreamUnavailable: storage has failed again and again.
        """
        if (present := max(begun, self._in_progress)) >= self._limits.uploads_at_once:
            raise self._full(present)
        self._require_storage()
        remaining_s = deadline.remaining_s()
        if not self._needed.is_in_time(self._at_hand, remaining_s=remaining_s * FOR_STORING):
            raise Overloaded(
                f"{self._at_hand} uploads are being read and stored, too many for one more within {remaining_s:.1f} s; "
                "try again later or allow more time",
                retry_after_s=self._needed.retry_after_s(self._at_hand),
            )
        self._hygiene.require_room(deadline=self._before_storing(deadline))

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Count one upload while it lasts.

        Raises:
            Overloaded: as many as are allowed are in progress already.
        """
        if self._in_progress >= self._limits.uploads_at_once:
            raise self._full(self._in_progress)
        self._in_progress += 1
        self._quiet.clear()
        started = self._clock()
        try:
            yield
        finally:
            self._estimate.note(self._clock() - started)
            self._in_progress -= 1
            if self._in_progress == 0:
                self._quiet.set()

    @property
    def _at_hand(self) -> int:
        """How many are in progress and share what reading and storing need; who waits for a model needs nothing."""
        return self._in_progress - self._asking_models

    @contextmanager
    def _waiting_for_models(self) -> Iterator[None]:
        self._asking_models += 1
        try:
            yield
        finally:
            self._asking_models -= 1

    def _full(self, present: int) -> Overloaded:
        return Overloaded(
            f"{present} uploads are in progress already; try again shortly",
            retry_after_s=self._estimate.retry_after_s(present),
        )

    async def wait_for_quiet(self, *, at_most_s: float) -> None:
        """Return when no upload is in progress, or after `at_most_s` all the same."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._quiet.wait()

    def _reserve_s(self, deadline: Deadline) -> float:
        """Return the time to keep for storing; beyond the usual, never more than half of what is left."""
        slow_s = min(STORING_TAKES_AT_MOST * self._storing.service_s, deadline.remaining_s() / 2)
        return max(STORAGE_RESERVE_S, slow_s)

    def _before_storing(self, deadline: Deadline) -> Deadline:
        """Return until when an image must have been looked at; one in a hurry has half of its time for it."""
        return Deadline.after(max(deadline.remaining_s() - self._reserve_s(deadline), deadline.remaining_s() / 2))

    async def _unless_it_fails(
        self,
        service: str,
        ask: Callable[..., Awaitable[Answer]],
        inspection: Inspection,
        deadline: Deadline,
    ) -> Answer | None:
        model_s = self._model_s(deadline)
        try:
            if model_s <= 0:
                raise DeadlineExceeded("the deadline leaves no time for the models")
            return await ask(inspection.preview, deadline=Deadline.after(model_s))
        except ServiceError as error:
            log.warning("stored_without", extra={"service": service, "code": error.code, "reason": error.detail})
            return None

    def _model_s(self, deadline: Deadline) -> float:
        """Return the time that the models may take; 0 or less where there is none."""
        return min(self._limits.model_timeout_s, deadline.remaining_s() - self._reserve_s(deadline))
