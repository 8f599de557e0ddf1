"""Images as the gateway would hand them over; to storage they are only bytes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from pathlib import Path

from shared.contracts import Alternative, CaptionAnswer, ClassificationAnswer, ModelName, NewImage
from storage_service.database import Database
from storage_service.new_images import image_of
from storage_service.uploads import Upload

PREVIEW = b"\xff\xd8 a small picture"
CAPTIONER = ModelName(name="vgg16-attention", version="1")
CLASSIFIER = ModelName(name="cnn", version="3")


def new_image(
    content: bytes,
    *,
    filename: str = "dog.jpg",
    label: str | None = "photo",
    confidence: float = 0.9,
    caption: str | None = "a dog runs on grass",
) -> NewImage:
    classification = label and ClassificationAnswer(
        label=label,
        labels=[Alternative(value=label, confidence=confidence), Alternative(value="other", confidence=0.05)],
        model=CLASSIFIER,
    )
    answer = caption and CaptionAnswer(captions=[Alternative(value=caption, confidence=0.5)], model=CAPTIONER)
    return NewImage(
        filename=filename,
        sha256=hashlib.sha256(content).hexdigest(),
        media_type="image/jpeg",
        width=640,
        height=480,
        classification=classification or None,
        caption=answer or None,
    )


def upload(new: NewImage, content: bytes) -> Upload:
    return Upload(new=new, original=io.BytesIO(content), preview=io.BytesIO(PREVIEW))


async def add_rows(database: Database, images: Iterable[NewImage]) -> None:
    """Store images without their files, for tests that look at none."""
    async with database.writing() as repository:
        for new in images:
            image = image_of(new, size_bytes=1)
            await repository.add(image)
            await repository.work.want_missing(image, now=image.created_at)


def files_below(store: Path) -> list[str]:
    return sorted(file.relative_to(store).as_posix() for file in store.rglob("*") if file.is_file())
