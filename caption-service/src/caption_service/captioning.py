"""Describe one image for a caller: decode, infer on a worker thread with others, answer in the wire's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry, Histogram

from caption_service.model.preprocessing import DamagedImage, TooManyPixels, UnreadableImage, read_image
from shared.artifacts import Manifest
from shared.batching import BatchWorker, Room
from shared.contracts import Alternative, CaptionAnswer, ModelName, WordAttention
from shared.deadline import Deadline
from shared.errors import BadRequest, BrokenImage, ImageTooLarge, UnsupportedImage
from shared.inference_metrics import InferenceMetrics, InferenceRequest

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

    @property
    def has_embedding(self) -> bool:
        """Whether it can embed."""

    @property
    def embedding_encoder(self) -> str:
        """What makes its embeddings; others' are not comparable with them."""

    @property
    def attends(self) -> bool:
        """Whether it can tell where it looks."""

    def describe_fully(
        self, images: npt.NDArray[np.uint8], *, embedding: Sequence[bool], attention: Sequence[bool]
    ) -> Sequence[Description]:
        """Return captions of each image, and what else is asked of it.

        Images are RGB, uint8, (batch, 224, 224, 3). Raises MemoryError where they are too many.
        """


@dataclass(frozen=True)
class Decoded:
    """An image that waits for the model, and what is asked of it."""

    pixels: npt.NDArray[np.uint8]
    asked: InferenceRequest
    embedding: bool
    attention: bool


class Captioning:
    """One model and the threads that it runs on."""

    def __init__(self, captioner: Captioner, registry: CollectorRegistry, room: Room) -> None:
        self._captioner = captioner
        self._worker = BatchWorker("captioning", self._describe_all, room)
        self._inference_s = Histogram("inference_duration_seconds", "Time in the model.", registry=registry)
        self.model = ModelName(name=captioner.manifest.name, version=captioner.manifest.version)
        self.manifest = captioner.manifest
        self._metrics = InferenceMetrics(registry, self.model)

    @property
    def load(self) -> float:
        """Share of the places for images that are taken, 0 to 1."""
        return self._worker.load

    def close(self) -> None:
        """Finish what is under way."""
        self._worker.close()

    async def describe(
        self,
        image: bytes,
        *,
        deadline: Deadline,
        embedding: bool = False,
        attention: bool = False,
        is_background: bool = False,
    ) -> CaptionAnswer:
        """Return captions for an encoded image, its embedding and where the model looked, as asked.

        Raises:
            BadRequest: this model cannot do what is asked.
            UnsupportedImage: not an image.
            BrokenImage: a damaged one.
            ImageTooLarge: too many pixels.
            Overloaded: too many images wait already.
            DeadlineExceeded: no caption in time.
        """
        if embedding and not self._captioner.has_embedding:
            raise BadRequest("this installation's encoder has no embedding; ask without embedding=true")
        if attention and not self._captioner.attends:
            raise BadRequest(f"the model {self.model.name} sees the picture as a whole; ask without attention=true")
        with self._metrics.request() as asked:
            full = await self._worker.run(
                lambda: _decode(image, asked, embedding=embedding, attention=attention),
                deadline=deadline,
                is_background=is_background,
            )
            self._inference_s.observe(asked.spent_s["compute_infer"])
            with asked.stage("compute_output"):
                return self._answer(full)

    def _describe_all(self, images: Sequence[Decoded]) -> Sequence[Description]:
        with self._metrics.run([each.asked for each in images]):
            return self._captioner.describe_fully(
                np.stack([each.pixels for each in images]),
                embedding=[each.embedding for each in images],
                attention=[each.attention for each in images],
            )

    def _answer(self, full: Description) -> CaptionAnswer:
        return CaptionAnswer(
            captions=[Alternative(value=each.sentence, confidence=each.confidence) for each in full.captions],
            model=self.model,
            embedding=None if full.embedding is None else _rounded(full.embedding, EMBEDDING_DECIMALS),
            encoder=None if full.embedding is None else self._captioner.embedding_encoder,
            attention=None if full.looks is None else [_word_attention(look) for look in full.looks],
        )


def _decode(image: bytes, asked: InferenceRequest, *, embedding: bool, attention: bool) -> Decoded:
    with asked.stage("compute_input"):
        return Decoded(_read(image), asked, embedding, attention)


def _word_attention(look: Look) -> WordAttention:
    return WordAttention(word=look.word, weights=[_rounded(row, ATTENTION_DECIMALS) for row in look.weights])


def _rounded(numbers: npt.NDArray[np.float32], decimals: int) -> list[float]:
    return [round(float(number), decimals) for number in numbers]


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
