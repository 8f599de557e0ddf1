from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts import (
    Alternative,
    CaptionAnswer,
    ClassificationAnswer,
    Correction,
    ImageRecord,
    Kind,
)
from shared.deadline import Deadline
from shared.errors import BadRequest, NotFound
from shared.work_contracts import Lease, LeaseRequest, WorkFailure, WorkOutcome
from storage_service import pending_work, schema
from storage_service.archive import Archive
from storage_service.completion import Completion
from storage_service.database import Database
from storage_service.errors import LeaseLost
from storage_service.pages import PageQuery
from storage_service.search import WordQuery
from tests.unit.storage.samples import CAPTIONER, CLASSIFIER, add_rows, files_below, new_image, upload

LEASE_S = 30.0


class Clock:
    """Stands still until told."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC) + timedelta(seconds=60)  # after all that a test adds, however slow the machine

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def completion(database: Database, archive: Archive, clock: Clock) -> Completion:
    return Completion(database, archive, clock=clock)


async def _add(
    archive: Archive, content: bytes, *, label: str | None = None, caption: str | None = None
) -> ImageRecord:
    new = new_image(content, label=label, caption=caption)
    record, _ = await archive.add(upload(new, content), deadline=Deadline.after(30))
    return record


async def _lease(completion: Completion, kind: Kind, limit: int = 1) -> list[Lease]:
    return (await completion.lease(LeaseRequest(kind=kind, limit=limit, lease_s=LEASE_S))).items


def _caption(text: str = "a cat sleeps") -> WorkOutcome:
    return WorkOutcome(caption=CaptionAnswer(captions=[Alternative(value=text, confidence=0.6)], model=CAPTIONER))


def _label(label: str = "meme") -> WorkOutcome:
    labels = [Alternative(value=label, confidence=0.8)]
    return WorkOutcome(classification=ClassificationAnswer(label=label, labels=labels, model=CLASSIFIER))


def _failure(*, is_of_image: bool) -> WorkOutcome:
    return WorkOutcome(failure=WorkFailure(reason="no such luck", is_of_image=is_of_image))


async def _finish(completion: Completion, token: UUID, outcome: WorkOutcome) -> ImageRecord:
    return await completion.finish(token, outcome, deadline=Deadline.after(30))


async def _counts(database: Database) -> dict[str, tuple[int, int, int]]:
    async with database.reading() as images:
        return {each.kind: (each.missing, each.rerun, each.failed) for each in await images.work.counts()}


async def test_what_was_missing_comes_later_and_moves_the_file(
    archive: Archive, completion: Completion, database: Database, folder: Path
) -> None:
    record = await _add(archive, b"a cat")
    assert await _counts(database) == {"caption": (1, 0, 0), "label": (1, 0, 0)}

    [caption], [label] = await _lease(completion, "caption"), await _lease(completion, "label")
    half = await _finish(completion, caption.token, _caption())
    whole = await _finish(completion, label.token, _label())

    assert (caption.image_id, label.image_id, half.status) == (record.id, record.id, "pending")
    assert (whole.status, whole.label.value, whole.label.model) == ("complete", "meme", "cnn@3")
    assert whole.caption is not None
    assert whole.caption.value == "a cat sleeps"
    assert files_below(folder) == [f".previews/{record.id}.jpg", f"meme/dog--{record.id}.jpg"]
    assert await _counts(database) == {"caption": (0, 0, 0), "label": (0, 0, 0)}


async def test_only_what_is_missing_is_wanted(archive: Archive, completion: Completion) -> None:
    await _add(archive, b"complete", label="photo", caption="a dog")
    no_caption = await _add(archive, b"no caption", label="photo")
    no_label = await _add(archive, b"no label", caption="a dog")

    assert [lease.image_id for lease in await _lease(completion, "caption", 10)] == [no_caption.id]
    assert [lease.image_id for lease in await _lease(completion, "label", 10)] == [no_label.id]


async def test_the_oldest_goes_first(database: Database, completion: Completion) -> None:
    await add_rows(database, (new_image(bytes([n]), filename=f"{n}.jpg", caption=None) for n in range(5)))
    leases = await _lease(completion, "caption", 3) + await _lease(completion, "caption", 3)

    async with database.reading() as images:
        names = [(await images.get(lease.image_id)).filename for lease in leases]
    assert names == [f"{n}.jpg" for n in range(5)]


async def test_many_who_lease_at_once_never_get_the_same(database: Database, completion: Completion) -> None:
    await add_rows(database, (new_image(bytes([n]), caption=None) for n in range(40)))

    async def take_all() -> list[UUID]:
        mine: list[UUID] = []
        while leases := await _lease(completion, "caption", 3):
            mine += [lease.image_id for lease in leases]
        return mine

    taken = [image_id for mine in await asyncio.gather(*(take_all() for _ in range(4))) for image_id in mine]
    assert len(taken) == 40
    assert set(Counter(taken).values()) == {1}


async def test_work_that_expires_goes_to_another_and_the_late_result_is_refused(
    archive: Archive, completion: Completion, clock: Clock
) -> None:
    await _add(archive, b"a cat", label="photo")
    [first] = await _lease(completion, "caption")
    clock.pass_by(LEASE_S - 0.001)
    assert await _lease(completion, "caption") == []
    clock.pass_by(0.001)
    with pytest.raises(LeaseLost):
        await _finish(completion, first.token, _caption("late, and nobody else has it yet"))

    [second] = await _lease(completion, "caption")
    assert (second.image_id, second.token == first.token) == (first.image_id, False)
    with pytest.raises(LeaseLost):
        await _finish(completion, first.token, _caption("late"))

    record = await _finish(completion, second.token, _caption("in time"))
    assert record.caption is not None
    assert record.caption.value == "in time"
    with pytest.raises(LeaseLost):
        await _finish(completion, second.token, _caption("twice"))
    with pytest.raises(LeaseLost):
        await _finish(completion, uuid4(), _caption("a stranger's"))


async def test_of_two_equal_results_at_once_one_is_taken(
    archive: Archive, completion: Completion, database: Database
) -> None:
    record = await _add(archive, b"a cat", label="photo")
    [lease] = await _lease(completion, "caption")

    answers = await asyncio.gather(
        *(_finish(completion, lease.token, _caption()) for _ in range(4)), return_exceptions=True
    )

    assert Counter(type(answer) for answer in answers) == {ImageRecord: 1, LeaseLost: 3}
    async with database.reading() as images:
        assert [word.kind for word in (await images.get(record.id)).analyses] == ["label", "caption"]


async def test_the_result_for_a_deleted_image_is_refused(archive: Archive, completion: Completion) -> None:
    record = await _add(archive, b"a cat")
    [lease] = await _lease(completion, "caption")
    await archive.delete(record.id, deadline=Deadline.after(30))

    with pytest.raises(LeaseLost):
        await _finish(completion, lease.token, _caption())
    assert await _lease(completion, "label") == []


async def test_a_word_of_another_kind_is_refused_and_the_lease_stays(archive: Archive, completion: Completion) -> None:
    await _add(archive, b"a cat")
    [lease] = await _lease(completion, "caption")
    with pytest.raises(BadRequest, match="wants a caption"):
        await _finish(completion, lease.token, _label())
    assert (await _finish(completion, lease.token, _caption())).caption is not None


async def test_while_a_service_is_away_pauses_grow_and_nothing_is_given_up(
    archive: Archive, completion: Completion, clock: Clock
) -> None:
    await _add(archive, b"a cat", label="photo")
    waits: list[float] = []
    for _ in range(12):
        waited = 0.0
        while not (leases := await _lease(completion, "caption")):
            clock.pass_by(0.25)
            waited += 0.25
        waits.append(waited)
        record = await _finish(completion, leases[0].token, _failure(is_of_image=False))
        assert (record.status, record.failure) == ("pending", None)

    assert waits[0] == 0
    for attempts, waited in enumerate(waits[1:], start=1):
        longest_s = min(pending_work.LONGEST_PAUSE_S, pending_work.FIRST_PAUSE_S * 2 ** (attempts - 1))
        assert longest_s / 2 <= waited <= longest_s + 0.25


async def _give_up(completion: Completion, clock: Clock, kind: Kind) -> ImageRecord:
    for _ in range(pending_work.MOST_REFUSALS):
        [lease] = await _lease(completion, kind)
        record = await _finish(completion, lease.token, _failure(is_of_image=True))
        clock.pass_by(pending_work.LONGEST_PAUSE_S)
    return record


async def test_an_image_that_a_model_refuses_again_and_again_has_failed_and_says_why(
    archive: Archive, completion: Completion, database: Database, clock: Clock
) -> None:
    await _add(archive, b"a cat", label="photo")
    [lease] = await _lease(completion, "caption")
    once = await _finish(completion, lease.token, _failure(is_of_image=True))
    clock.pass_by(pending_work.LONGEST_PAUSE_S)
    assert (once.status, once.failure) == ("pending", None)
    for _ in range(pending_work.MOST_REFUSALS - 1):
        [lease] = await _lease(completion, "caption")
        record = await _finish(completion, lease.token, _failure(is_of_image=True))
        clock.pass_by(pending_work.LONGEST_PAUSE_S)

    assert (record.status, record.failure, record.label.value) == ("failed", "no caption: no such luck", "photo")
    assert await _lease(completion, "caption") == []
    assert (await _counts(database))["caption"] == (0, 0, 1)


async def test_a_failed_image_is_tried_again_on_demand(archive: Archive, completion: Completion, clock: Clock) -> None:
    record = await _add(archive, b"a cat")
    await _give_up(completion, clock, "caption")
    failed = await _give_up(completion, clock, "label")
    assert (failed.status, failed.failure) == ("failed", "no caption: no such luck; no label: no such luck")

    again = await completion.retry(record.id)

    assert (again.status, again.failure) == ("pending", None)
    await _finish(completion, (await _lease(completion, "caption"))[0].token, _caption())
    done = await _finish(completion, (await _lease(completion, "label"))[0].token, _label())
    assert (done.status, done.failure) == ("complete", None)
    assert await completion.retry(record.id) == done
    assert await _lease(completion, "caption") == []
    with pytest.raises(NotFound):
        await completion.retry(uuid4())


async def test_a_retry_takes_no_work_from_whoever_has_it(archive: Archive, completion: Completion) -> None:
    record = await _add(archive, b"a cat", label="photo")
    [lease] = await _lease(completion, "caption")
    await completion.retry(record.id)
    assert await _lease(completion, "caption") == []
    assert (await _finish(completion, lease.token, _caption())).status == "complete"


async def test_all_failed_images_are_tried_again_at_once(
    archive: Archive, completion: Completion, database: Database, clock: Clock
) -> None:
    for content in (b"one", b"two", b"three"):
        await _add(archive, content, label="photo")
    for _ in range(3):
        await _give_up(completion, clock, "caption")
    assert (await _counts(database))["caption"] == (0, 0, 3)

    retried = await completion.retry_all(deadline=Deadline.after(30))

    assert (retried.images, retried.remaining) == (3, 0)
    assert (await _counts(database))["caption"] == (3, 0, 0)
    assert (await completion.retry_all(deadline=Deadline.after(30))).images == 0


async def test_a_person_settles_what_a_model_could_not(
    archive: Archive, completion: Completion, database: Database, clock: Clock
) -> None:
    record = await _add(archive, b"a cat", label="photo")
    await _give_up(completion, clock, "caption")

    corrected = await archive.correct(record.id, Correction(caption="my cat"), deadline=Deadline.after(30))

    assert (corrected.status, corrected.failure) == ("complete", None)
    assert (await _counts(database))["caption"] == (0, 0, 0)


async def test_a_model_is_not_asked_for_what_a_person_has_said(archive: Archive, completion: Completion) -> None:
    record = await _add(archive, b"a cat")
    await archive.correct(record.id, Correction(label="pets"), deadline=Deadline.after(30))
    assert await _lease(completion, "label") == []
    assert len(await _lease(completion, "caption")) == 1


async def test_images_that_were_pending_before_the_migration_become_work(
    engine: AsyncEngine, database: Database, completion: Completion
) -> None:
    await add_rows(database, [new_image(b"a", label=None), new_image(b"b", caption=None), new_image(b"c")])
    await schema.downgrade(engine, "0002")
    await schema.upgrade(engine)

    assert await _counts(database) == {"caption": (1, 0, 0), "label": (1, 0, 0)}
    assert [len(await _lease(completion, kind, 10)) for kind in pending_work.KINDS] == [1, 1]


async def test_images_are_still_found_by_their_words_after_the_migration_was_taken_back(
    engine: AsyncEngine, database: Database
) -> None:
    await schema.downgrade(engine, "0002")
    await schema.upgrade(engine)
    await add_rows(database, [new_image(b"a", caption="a zebra grazes")])

    query = PageQuery(words=WordQuery("zebra"), label=None, status=None, sort="newest", limit=10, after=None)
    async with database.reading() as images:
        found, _ = await images.page(query)
    assert [image.search_words.split()[1] for image in found] == ["zebra"]
