"""One upload: what is kept when everything works, and what when something fails."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

import pytest

from gateway.decoding_process import DecodingLimits
from gateway.hygiene import SEEN_SOON_BYTES, Hygiene
from gateway.upload_limits import UploadLimits
from gateway.uploads import Uploads
from shared.contracts import CaptionAnswer, ClassificationAnswer, ImageRecord
from shared.deadline import Deadline
from shared.errors import (
    BrokenImage,
    DeadlineExceeded,
    Overloaded,
    ServiceError,
    UpstreamFailed,
    UpstreamUnavailable,
)
from shared.previews import Inspection
from tests.fakes import FakeCaptions, FakeImages, FakeLabels
from tests.pictures import drawn_picture, encoded, photo_bytes

DECODING = DecodingLimits(pixel_limit=1_000_000, memory_bytes=1536 * 2**20, timeout_s=30)
LIMITS = UploadLimits(model_timeout_s=5, uploads_at_once=2)


@pytest.fixture
def hygiene() -> Iterator[Hygiene]:
    hygiene = Hygiene(processes=1, waiting=4, limits=DECODING)
    yield hygiene
    hygiene.close()


@pytest.fixture
def images() -> FakeImages:
    return FakeImages()


def _uploads(
    images: FakeImages,
    hygiene: Hygiene,
    captions: FakeCaptions | None = None,
    labels: FakeLabels | None = None,
) -> Uploads:
    return Uploads(
        captions=captions or FakeCaptions(),
        labels=labels or FakeLabels(),
        images=images,
        hygiene=hygiene,
        limits=LIMITS,
    )


async def test_an_upload_is_kept_with_caption_and_label(images: FakeImages, hygiene: Hygiene) -> None:
    record, is_new = await _uploads(images, hygiene).upload(photo_bytes(), "a.jpg", deadline=Deadline.after(30))

    assert is_new
    assert (record.status, record.label.value, record.filename) == ("complete", "photo", "a.jpg")
    assert record.caption is not None
    assert record.caption.value == "a red square"
    assert images.previews[0].startswith(b"\xff\xd8")


async def test_known_bytes_are_answered_with_their_record(images: FakeImages, hygiene: Hygiene) -> None:
    uploads = _uploads(images, hygiene)
    first, _ = await uploads.upload(photo_bytes(), "a.jpg", deadline=Deadline.after(30))
    again, is_new = await uploads.upload(photo_bytes(), "b.jpg", deadline=Deadline.after(30))

    assert (again.id, is_new, len(images.stored)) == (first.id, False, 1)


class SlowToFind(FakeImages):
    """Says whether an image is known after others have had their turn."""

    def __init__(self, error: ServiceError | None = None) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.answers = asyncio.Event()
        self.error = error

    async def find(self, sha256: str, *, deadline: Deadline) -> ImageRecord | None:
        self.asked.set()
        await self.answers.wait()
        if self.error:
            raise self.error
        return await super().find(sha256, deadline=deadline)


class WatchedHygiene(Hygiene):
    """Says when it looks at an image."""

    looks = 0

    async def inspect(self, image: bytes, *, deadline: Deadline) -> Inspection:
        self.looks += 1
        return await super().inspect(image, deadline=deadline)


@pytest.fixture
def watched() -> Iterator[WatchedHygiene]:
    hygiene = WatchedHygiene(processes=1, waiting=4, limits=DECODING)
    yield hygiene
    hygiene.close()


@pytest.mark.parametrize(
    ("image", "others", "looks"),
    [
        (photo_bytes(), 0, 1),
        (photo_bytes() + bytes(SEEN_SOON_BYTES), 0, 0),  # to decode it in vain would cost
        (photo_bytes(), 1, 0),  # and here others would wait for it
    ],
)
async def test_a_small_image_is_looked_at_before_storage_has_answered_where_nobody_else_uploads(
    watched: WatchedHygiene, image: bytes, others: int, looks: int
) -> None:
    images = SlowToFind()
    uploads = _uploads(images, watched)
    with contextlib.ExitStack() as begun:
        for _ in range(1 + others):
            begun.enter_context(uploads.admitted())
        upload = asyncio.create_task(uploads.upload(image, "a.jpg", deadline=Deadline.after(30)))
        await images.asked.wait()
        await asyncio.sleep(0)
        assert watched.looks == looks
        images.answers.set()
        _, is_new = await upload
    assert is_new
    assert watched.looks == 1


@pytest.mark.parametrize("image", [photo_bytes(), b"no image"])
async def test_what_storage_says_goes_before_what_is_seen(watched: WatchedHygiene, image: bytes) -> None:
    images = SlowToFind(UpstreamFailed("down"))
    upload = asyncio.create_task(_uploads(images, watched).upload(image, "a.jpg", deadline=Deadline.after(30)))
    await images.asked.wait()
    images.answers.set()
    with pytest.raises(UpstreamFailed):
        await upload
    assert watched.looks == 1


@pytest.mark.parametrize("error", [UpstreamFailed("down"), Overloaded("full"), DeadlineExceeded("slow")])
async def test_an_image_is_kept_without_its_caption_when_captioning_fails(
    images: FakeImages, hygiene: Hygiene, error: ServiceError
) -> None:
    uploads = _uploads(images, hygiene, captions=FakeCaptions(error=error))
    record, _ = await uploads.upload(photo_bytes(), "a.jpg", deadline=Deadline.after(30))

    assert (record.status, record.caption, record.label.value) == ("pending", None, "photo")


async def test_an_image_is_kept_unclassified_when_classifying_fails(images: FakeImages, hygiene: Hygiene) -> None:
    uploads = _uploads(images, hygiene, labels=FakeLabels(error=UpstreamFailed("down")))
    record, _ = await uploads.upload(photo_bytes(), "a.jpg", deadline=Deadline.after(30))

    assert (record.status, record.label.value) == ("pending", "unclassified")
    assert record.caption is not None


async def test_a_deadline_too_short_for_the_models_still_keeps_the_image(images: FakeImages, hygiene: Hygiene) -> None:
    record, _ = await _uploads(images, hygiene).upload(photo_bytes(), "a.jpg", deadline=Deadline.after(2))
    assert record.status == "pending"


async def test_nothing_is_kept_of_a_broken_image(images: FakeImages, hygiene: Hygiene) -> None:
    broken = encoded(drawn_picture(300, 300))[:900]
    with pytest.raises(BrokenImage):
        await _uploads(images, hygiene).upload(broken, "a.jpg", deadline=Deadline.after(30))
    assert images.stored == []


async def test_a_try_out_keeps_nothing(images: FakeImages, hygiene: Hygiene) -> None:
    analysis = await _uploads(images, hygiene).analyse(photo_bytes(), deadline=Deadline.after(30))
    assert analysis.caption is not None
    assert (analysis.caption.value, analysis.label.value, images.stored) == ("a red square", "photo", [])


async def test_a_try_out_says_it_when_a_model_is_down(images: FakeImages, hygiene: Hygiene) -> None:
    uploads = _uploads(images, hygiene, captions=FakeCaptions(error=UpstreamFailed("caption cannot be reached")))
    with pytest.raises(UpstreamFailed):
        await uploads.analyse(photo_bytes(), deadline=Deadline.after(30))


def test_one_upload_too_many_is_refused_and_a_finished_one_makes_room(images: FakeImages, hygiene: Hygiene) -> None:
    uploads = _uploads(images, hygiene)
    with uploads.admitted():
        with uploads.admitted(), pytest.raises(Overloaded), uploads.admitted():
            pass
        with uploads.admitted():
            pass


def test_while_storage_is_away_an_upload_is_refused_before_it_is_read(images: FakeImages, hygiene: Hygiene) -> None:
    def away() -> None:
        raise UpstreamUnavailable("storage is not asked for a while", retry_after_s=4)

    uploads = Uploads(
        captions=FakeCaptions(),
        labels=FakeLabels(),
        images=images,
        hygiene=hygiene,
        limits=LIMITS,
        require_storage=away,
    )
    with pytest.raises(UpstreamUnavailable):
        uploads.require_room(deadline=Deadline.after(5))


def test_a_full_gateway_tells_when_to_come_back_from_how_long_uploads_took(
    images: FakeImages, hygiene: Hygiene
) -> None:
    seconds = iter(range(0, 1000, 9))
    uploads = Uploads(
        captions=FakeCaptions(),
        labels=FakeLabels(),
        images=images,
        hygiene=hygiene,
        limits=LIMITS,
        clock=lambda: float(next(seconds)),
    )
    with uploads.admitted():
        pass
    with uploads.admitted(), uploads.admitted():
        assert uploads.places_taken == 1
        with pytest.raises(Overloaded) as refused:
            uploads.require_room(deadline=Deadline.after(5))
    assert refused.value.headers == {"Retry-After": "9"}


class NotingLabels(FakeLabels):
    """Notes how much time it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.given_s: list[float] = []

    async def classify(self, preview: bytes, *, deadline: Deadline) -> ClassificationAnswer:
        self.given_s.append(deadline.remaining_s())
        return self.answer


async def test_a_slow_storage_gets_more_of_the_deadline(images: FakeImages, hygiene: Hygiene) -> None:
    seconds = iter(range(0, 10_000, 100))  # storing seems to take 100 s
    labels = NotingLabels()
    uploads = Uploads(
        captions=FakeCaptions(),
        labels=labels,
        images=images,
        hygiene=hygiene,
        limits=UploadLimits(model_timeout_s=1000, uploads_at_once=2),
        clock=lambda: float(next(seconds)),
    )
    for seed in range(2):
        await uploads.upload(photo_bytes(seed), "a.jpg", deadline=Deadline.after(600))
    first_s, second_s = labels.given_s
    assert first_s > 500
    assert 300 < second_s <= 400


async def test_an_upload_is_refused_when_those_before_it_leave_it_no_time(images: FakeImages, hygiene: Hygiene) -> None:
    seconds = iter(range(0, 10_000, 10))
    uploads = Uploads(
        captions=FakeCaptions(),
        labels=FakeLabels(),
        images=images,
        hygiene=hygiene,
        limits=UploadLimits(model_timeout_s=5, uploads_at_once=10),
        clock=lambda: float(next(seconds)),
    )
    await uploads.upload(photo_bytes(), "a.jpg", deadline=Deadline.after(600))  # what must be done seems to take 20 s
    uploads.require_room(deadline=Deadline.after(4))
    with uploads.admitted(), uploads.admitted():
        uploads.require_room(deadline=Deadline.after(130))
        with pytest.raises(Overloaded) as refused:
            uploads.require_room(deadline=Deadline.after(110))
    assert refused.value.headers == {"Retry-After": "40"}


class WaitingCaptions(FakeCaptions):
    """Answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.let = asyncio.Event(), asyncio.Event()

    async def caption(self, preview: bytes, *, deadline: Deadline) -> CaptionAnswer:
        self.asked.set()
        await self.let.wait()
        return self.answer


async def test_who_waits_for_a_model_keeps_nobody_from_being_stored(images: FakeImages, hygiene: Hygiene) -> None:
    seconds = iter(range(0, 10_000, 10))
    captions = WaitingCaptions()
    uploads = Uploads(
        captions=captions,
        labels=FakeLabels(),
        images=images,
        hygiene=hygiene,
        limits=UploadLimits(model_timeout_s=60, uploads_at_once=10),
        clock=lambda: float(next(seconds)),
    )
    captions.let.set()
    await uploads.upload(photo_bytes(), "a.jpg", deadline=Deadline.after(600))  # what must be done seems to take 20 s
    captions.let.clear()
    captions.asked.clear()
    with uploads.admitted():
        waiting = asyncio.create_task(uploads.upload(photo_bytes(1), "b.jpg", deadline=Deadline.after(600)))
        await captions.asked.wait()
        uploads.require_room(deadline=Deadline.after(4))
        captions.let.set()
        await waiting
        with pytest.raises(Overloaded):
            uploads.require_room(deadline=Deadline.after(4))
