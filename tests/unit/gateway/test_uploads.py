"""One upload: what is kept when everything works, and what when something fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.uploads import UploadLimits, Uploads
from shared.deadline import Deadline
from shared.errors import BrokenImage, DeadlineExceeded, Overloaded, ServiceError, UpstreamFailed
from shared.worker import BoundedWorker
from tests.fakes import FakeCaptions, FakeImages, FakeLabels
from tests.pictures import drawn_picture, encoded, photo_bytes

LIMITS = UploadLimits(pixel_limit=1_000_000, model_timeout_s=5, uploads_at_once=2)


@pytest.fixture
def worker() -> Iterator[BoundedWorker]:
    worker = BoundedWorker("decoding", threads=1, waiting=4)
    yield worker
    worker.close()


@pytest.fixture
def images() -> FakeImages:
    return FakeImages()


def _uploads(
    images: FakeImages,
    worker: BoundedWorker,
    captions: FakeCaptions | None = None,
    labels: FakeLabels | None = None,
) -> Uploads:
    return Uploads(
        captions=captions or FakeCaptions(),
        labels=labels or FakeLabels(),
        images=images,
        worker=worker,
        limits=LIMITS,
    )


async def test_an_upload_is_kept_with_caption_and_label(images: FakeImages, worker: BoundedWorker) -> None:
    record, is_new = await _uploads(images, worker).upload(photo_bytes(), "a.jpg", deadline=Deadline.after(5))

    assert is_new
    assert (record.status, record.label.value, record.filename) == ("complete", "photo", "a.jpg")
    assert record.caption is not None
    assert record.caption.value == "a red square"
    assert images.previews[0].startswith(b"\xff\xd8")


async def test_known_bytes_are_answered_with_their_record(images: FakeImages, worker: BoundedWorker) -> None:
    uploads = _uploads(images, worker)
    first, _ = await uploads.upload(photo_bytes(), "a.jpg", deadline=Deadline.after(5))
    again, is_new = await uploads.upload(photo_bytes(), "b.jpg", deadline=Deadline.after(5))

    assert (again.id, is_new, len(images.stored)) == (first.id, False, 1)


@pytest.mark.parametrize("error", [UpstreamFailed("down"), Overloaded("full"), DeadlineExceeded("slow")])
async def test_an_image_is_kept_without_its_caption_when_captioning_fails(
    images: FakeImages, worker: BoundedWorker, error: ServiceError
) -> None:
    uploads = _uploads(images, worker, captions=FakeCaptions(error=error))
    record, _ = await uploads.upload(photo_bytes(), "a.jpg", deadline=Deadline.after(5))

    assert (record.status, record.caption, record.label.value) == ("pending", None, "photo")


async def test_an_image_is_kept_unclassified_when_classifying_fails(images: FakeImages, worker: BoundedWorker) -> None:
    uploads = _uploads(images, worker, labels=FakeLabels(error=UpstreamFailed("down")))
    record, _ = await uploads.upload(photo_bytes(), "a.jpg", deadline=Deadline.after(5))

    assert (record.status, record.label.value) == ("pending", "unclassified")
    assert record.caption is not None


async def test_a_deadline_too_short_for_the_models_still_keeps_the_image(
    images: FakeImages, worker: BoundedWorker
) -> None:
    record, _ = await _uploads(images, worker).upload(photo_bytes(), "a.jpg", deadline=Deadline.after(2))
    assert record.status == "pending"


async def test_nothing_is_kept_of_a_broken_image(images: FakeImages, worker: BoundedWorker) -> None:
    broken = encoded(drawn_picture(300, 300))[:900]
    with pytest.raises(BrokenImage):
        await _uploads(images, worker).upload(broken, "a.jpg", deadline=Deadline.after(5))
    assert images.stored == []


async def test_a_try_out_keeps_nothing(images: FakeImages, worker: BoundedWorker) -> None:
    analysis = await _uploads(images, worker).analyse(photo_bytes(), deadline=Deadline.after(5))
    assert analysis.caption is not None
    assert (analysis.caption.value, analysis.label.value, images.stored) == ("a red square", "photo", [])


async def test_a_try_out_says_it_when_a_model_is_down(images: FakeImages, worker: BoundedWorker) -> None:
    uploads = _uploads(images, worker, captions=FakeCaptions(error=UpstreamFailed("caption cannot be reached")))
    with pytest.raises(UpstreamFailed):
        await uploads.analyse(photo_bytes(), deadline=Deadline.after(5))


def test_one_upload_too_many_is_refused_and_a_finished_one_makes_room(
    images: FakeImages, worker: BoundedWorker
) -> None:
    uploads = _uploads(images, worker)
    with uploads.admitted():
        with uploads.admitted(), pytest.raises(Overloaded), uploads.admitted():
            pass
        with uploads.admitted():
            pass
