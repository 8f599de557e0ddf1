"""Describe one image for a caller: decode, infer on a worker thread, answer in the wire's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry, Histogram

from caption_service.model.preprocessing import DamagedImage, TooManyPixels, UnreadableImage, read_image
from shared.artifacts import Manifest
from shared.contracts import Alternative, CaptionAnswer, ModelName
from shared.deadline import Deadline
from shared.errors import BadRequest, BrokenImage, ImageTooLarge, UnsupportedImage
from shared.worker import BoundedWorker

EMBEDDING_DECIMALS = 6
"""Of an embedding's numbers on the wire; more say nothing."""


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

    @property
    def has_embedding(self) -> bool:
        """Whether it can embed."""

    def describe_and_embed(
        self, images: npt.NDArray[np.uint8]
    ) -> tuple[Sequence[Sequence[Caption]], npt.NDArray[np.float32]]:
        """Return captions as `describe` does, and embeddings (batch, 256) of length 1."""


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
        return CaptionAnswer(captions=_alternatives(captions), model=self.model)

    async def describe_and_embed(self, image: bytes, *, deadline: Deadline) -> CaptionAnswer:
        """Return captions for an encoded image and its embedding.

        Raises:
            BadRequest: the encoder came without a projection; otherwise as `describe`.
        """
        if not self._captioner.has_embedding:
            raise BadRequest("this installation's encoder has no embedding; ask without embedding=true")
        captions, embedding = await self._worker.run(lambda: self._describe_and_embed_now(image), deadline=deadline)
        numbers = [round(float(number), EMBEDDING_DECIMALS) for number in embedding]
        return CaptionAnswer(captions=_alternatives(captions), model=self.model, embedding=numbers)

    def _describe_now(self, image: bytes) -> Sequence[Caption]:
        pixels = _read(image)
        with self._inference_s.time():
            return self._captioner.describe(pixels[None])[0]

    def _describe_and_embed_now(self, image: bytes) -> tuple[Sequence[Caption], npt.NDArray[np.float32]]:
        pixels = _read(image)
        with self._inference_s.time():
            captions, embeddings = self._captioner.describe_and_embed(pixels[None])
        return captions[0], embeddings[0]


def _alternatives(captions: Sequence[Caption]) -> list[Alternative]:
    return [Alternative(value=each.sentence, confidence=each.confidence) for each in captions]


def _read(image: bytes) -> npt.NDArray[np.uint8]:
    """Decode an image; what is wrong with it becomes an error that the caller is told about."""
    try:
        return read_image(image)
    except DamagedImage as error:
        raise BrokenImage(str(error)) from error
    except TooManyPixels as error:
        raise ImageTooLarge(str(error)) from error
    except UnreadableImage as error:
        raise UnsupportedImage(str(error)) from error
