"""Embeddings for tests: directions drawn at random, and rows that have them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import numpy as np
import numpy.typing as npt

from shared.contracts import EMBEDDING_SIZE, NewImage
from storage_service.database import Database
from storage_service.new_images import image_of
from tests.unit.storage.samples import new_image

ENCODER = "vgg16@1+abc"

Directions = npt.NDArray[np.float64]


def directions(count: int, *, seed: int = 0) -> Directions:
    """Return vectors of length 1, float64, (count, 256)."""
    drawn = np.random.default_rng(seed).normal(size=(count, EMBEDDING_SIZE))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def towards(one: Directions, other: Directions, share: float) -> Directions:
    """Return a vector between two, of length 1."""
    between = one + share * (other - one)
    return between / np.linalg.norm(between)


def embedded(content: bytes, embedding: Sequence[float] | Directions, *, encoder: str = ENCODER) -> NewImage:
    """Return a new image that the caption model has looked at."""
    new = new_image(content)
    assert new.caption is not None
    numbers = [float(number) for number in embedding]
    return new.model_copy(update={"caption": new.caption.model_copy(update={"embedding": numbers, "encoder": encoder})})


async def add_embedded(database: Database, embeddings: Directions, *, encoder: str = ENCODER) -> list[UUID]:
    """Store images without their files; return their ids."""
    ids = []
    async with database.writing() as images:
        for embedding in embeddings:
            new = embedded(embedding.tobytes() + encoder.encode(), embedding, encoder=encoder)
            image = image_of(new, size_bytes=1)
            await images.add(image)
            await images.embeddings.note(image, new.caption)
            ids.append(image.id)
    return ids
