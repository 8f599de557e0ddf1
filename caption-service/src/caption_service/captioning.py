"""Describe one image for a caller: decode, infer on a worker thread, answer in the wire's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry, Histogram

from caption_service.model.preprocessing import DamagedImage, TooManyPixels, UnreadableImage, read_image
from shared.artifacts import Manifest
from shared.contracts import Alternative, CaptionAnswer, ModelName, WordAttention
from shared.deadline import Deadline
from shared.errors import BadRequest, BrokenImage, ImageTooLarge, UnsupportedImage
from shared.inference_metrics import InferenceMetrics, InferenceRequest
from shared.worker import BoundedWorker

EMBEDDING_DECIMALS = 6
"""Of an embedding's numbers on the wire; more say nothing."""
ATTENTION_DECIMALS = 5


class Look(Protocol):
    """Where a model looked before it said a word."""

    @property
    def word(self) -> str:
        """The word."""

    @property
    def weights(self) -> npt.NDArray[np.float32]:
        """Each cell's share of the attention, float32, (14, 14)."""


class Description(Protocol):
    """All that can be asked about one image."""

    @property
    def captions(self) -> Sequence[Caption]:
        """Sentences, best first."""

    @property
    def embedding(self) -> npt.NDArray[np.float32] | None:
        """256 numbers of length 1."""

    @property
    def looks(self) -> Sequence[Look] | None:
        """Where the model looked for each word of the best caption."""


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

    @property
    def embedding_encoder(self) -> str:
        """What makes its embeddings; others' are not comparable with them."""

    @property
    def attends(self) -> bool:
        """Whether it can tell where it looks."""

    def describe_fully(self, image: npt.NDArray[np.uint8], *, embedding: bool, attention: bool) -> Description:
        """Return captions as `describe` does for one image, (224, 224, 3), and what else is asked."""


class Captioning:
    """One model and the threads that it runs on."""

    def __init__(self, captioner: Captioner, worker: BoundedWorker, registry: CollectorRegistry) -> None:
        self._captioner = captioner
        self._worker = worker
        self._inference_s = Histogram("inference_duration_seconds", "Time in the model.", registry=registry)
        self.model = ModelName(name=captioner.manifest.name, version=captioner.manifest.version)
        self.manifest = captioner.manifest
        self._metrics = InferenceMetrics(registry, self.model)

    async def describe(self, image: bytes, *, deadline: Deadline, is_background: bool = False) -> CaptionAnswer:
        """Return captions for an encoded image.

        Raises:
            UnsupportedImage: not an image.
            BrokenImage: a damaged one.
            ImageTooLarge: too many pixels.
            Overloaded: too many images wait already.
            DeadlineExceeded: no caption in time.
        """
        with self._metrics.request() as asked:
            captions = await self._worker.run(
                lambda: self._describe_now(image, asked), deadline=deadline, is_background=is_background
            )
            with asked.stage("compute_output"):
                return CaptionAnswer(captions=_alternatives(captions), model=self.model)

    async def describe_fully(
        self, image: bytes, *, embedding: bool, attention: bool, deadline: Deadline, is_background: bool = False
    ) -> CaptionAnswer:
        """Return captions for an encoded image, its embedding and where the model looked, as asked.

        Raises:
            BadRequest: this model cannot do what is asked; otherwise as `describe`.
        """
        if embedding and not self._captioner.has_embedding:
            raise BadRequest("this installation's encoder has no embedding; ask without embedding=true")
        if attention and not self._captioner.attends:
            raise BadRequest(f"the model {self.model.name} sees the picture as a whole; ask without attention=true")
        with self._metrics.request() as asked:
            full = await self._worker.run(
                lambda: self._describe_fully_now(image, asked, embedding=embedding, attention=attention),
                deadline=deadline,
                is_background=is_background,
            )
            with asked.stage("compute_output"):
                return CaptionAnswer(
                    captions=_alternatives(full.captions),
                    model=self.model,
                    embedding=None if full.embedding is None else _rounded(full.embedding, EMBEDDING_DECIMALS),
                    encoder=None if full.embedding is None else self._captioner.embedding_encoder,
                    attention=None if full.looks is None else [_word_attention(look) for look in full.looks],
                )

    def _describe_now(self, image: bytes, asked: InferenceRequest) -> Sequence[Caption]:
        with asked.stage("compute_input"):
            pixels = _read(image)
        with asked.stage("compute_infer"), self._inference_s.time():
            return self._captioner.describe(pixels[None])[0]

    def _describe_fully_now(
        self, image: bytes, asked: InferenceRequest, *, embedding: bool, attention: bool
    ) -> Description:
        with asked.stage("compute_input"):
            pixels = _read(image)
        with asked.stage("compute_infer"), self._inference_s.time():
            return self._captioner.describe_fully(pixels, embedding=embedding, attention=attention)


def _word_attention(look: Look) -> WordAttention:
    return WordAttention(word=look.word, weights=[_rounded(row, ATTENTION_DECIMALS) for row in look.weights])


def _rounded(numbers: npt.NDArray[np.float32], decimals: int) -> list[float]:
    return [round(float(number), decimals) for number in numbers]


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
