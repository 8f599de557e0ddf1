"""Describe one image for a caller: decode, infer on a worker thread, answer in the wire's words."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry, Histogram

from caption_service.model.preprocessing import DamagedImage, TooManyPixels, UnreadableImage, read_image
from shared.artifacts import Manifest
from shared.contracts import Alternative, CaptionAnswer, ModelName
from shared.deadline import Deadline
from shared.errors import BrokenImage, ImageTooLarge, UnsupportedImage
from shared.worker import BoundedWorker


class Caption(Protocol):
    """One sentence of a model, best first among several."""

    @property
    def sentence(self) -> str:
        """The words, without punctuation."""

    @property
    def confidence(self) -> float:
        """0 to 1."""


class Captioner(Protocol):
    """A loaded model."""

    @property
    def manifest(self) -> Manifest:
        """What the model's artifact says of itself."""

    def describe(self, images: npt.NDArray[np.uint8]) -> Sequence[Sequence[Caption]]:
        """Return each image's captions, best first; images are RGB, uint8, (batch, 224, 224, 3)."""


class Captioning:
    """One model and the threads that it runs on."""

    def __init__(self, captioner: Captioner, worker: BoundedWorker, registry: CollectorRegistry) -> None:
        self._captioner = captioner
        self._worker = worker
        self._inference_s = Histogram("inference_duration_seconds", "Time in the model.", registry=registry)
        self.model = ModelName(name=captioner.manifest.name, version=captioner.manifest.version)

    async def describe(self, image: bytes, *, deadline: Deadline) -> CaptionAnswer:
        """Return captions for an encoded image.

        Raises:
            UnsupportedImage: not an image.
            BrokenImage: a damaged one.
            ImageTooLarge: too many pixels.
            Overloaded: too many images wait already.
            DeadlineExceeded: no caption in time.
        """
        captions = await self._worker.run(lambda: self._describe_now(image), deadline=deadline)
        alternatives = [Alternative(value=each.sentence, confidence=each.confidence) for each in captions]
        return CaptionAnswer(captions=alternatives, model=self.model)

    def _describe_now(self, image: bytes) -> Sequence[Caption]:
        try:
            pixels = read_image(image)
        except DamagedImage as error:
            raise BrokenImage(str(error)) from error
        except TooManyPixels as error:
            raise ImageTooLarge(str(error)) from error
        except UnreadableImage as error:
            raise UnsupportedImage(str(error)) from error
        started = time.perf_counter()
        captions = self._captioner.describe(pixels[None])[0]
        self._inference_s.observe(time.perf_counter() - started)
        return captions
