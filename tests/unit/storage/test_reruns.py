from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from shared.contracts import Alternative, CaptionAnswer, ModelName
from shared.deadline import Deadline
from shared.errors import BadRequest
from shared.work_contracts import Lease, LeaseRequest, RerunRequest, WorkFailure, WorkOutcome
from storage_service import reruns as reruns_module
from storage_service.archive import Archive
from storage_service.completion import Completion
from storage_service.database import Database
from storage_service.pending_work import LONGEST_PAUSE_S, MOST_REFUSALS
from storage_service.reruns import Reruns
from storage_service.steps import RESERVE_S
from tests.unit.storage.samples import add_rows, new_image

NEWER = ModelName(name="vgg16-attention", version="2")


@pytest.fixture
def reruns(database: Database) -> Reruns:
    return Reruns(database)


@pytest.fixture
def completion(database: Database, archive: Archive) -> Completion:
    return Completion(database, archive)


@pytest.fixture
async def _images(database: Database) -> None:
    """Five images, their names in the order of upload."""
    await add_rows(
        database,
        [
            new_image(b"0", filename="0.jpg", label="photo", caption="a dog runs"),
            new_image(b"1", filename="1.jpg", label="photo", caption="a cat sleeps"),
            new_image(b"2", filename="2.jpg", label="meme", caption="a dog jumps"),
            new_image(b"3", filename="3.jpg", label="photo", caption=None),
            new_image(b"4", filename="4.jpg", label="meme", caption="two cats"),
        ],
    )


def _soon() -> Deadline:
    return Deadline.after(30)


async def _lease(completion: Completion) -> list[Lease]:
    return (await completion.lease(LeaseRequest(kind="caption", limit=100, lease_s=30))).items


async def _names(database: Database, leases: list[Lease]) -> list[str]:
    async with database.reading() as images:
        return [(await images.get(lease.image_id)).filename for lease in leases]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (RerunRequest(all=True), 5),
        (RerunRequest(label="photo"), 3),
        (RerunRequest(q="dog"), 2),
        (RerunRequest(q="dog", label="meme"), 1),
        (RerunRequest(q="%_ \"'"), 0),
        (RerunRequest(label="nowhere"), 0),
    ],
)
@pytest.mark.usefixtures("_images")
async def test_a_dry_run_counts_what_would_be_marked_and_marks_nothing(
    reruns: Reruns, completion: Completion, database: Database, asked: RerunRequest, expected: int
) -> None:
    counted = await reruns.count(asked)
    assert (counted.dry_run, counted.images, counted.next_cursor) == (True, expected, None)
    assert await _names(database, await _lease(completion)) == ["3.jpg"]

    marked = await reruns.mark(asked, deadline=_soon())
    assert (marked.dry_run, marked.images, marked.next_cursor) == (False, expected, None)


@pytest.mark.usefixtures("_images")
async def test_images_without_a_word_go_before_those_asked_again(
    reruns: Reruns, completion: Completion, database: Database
) -> None:
    await reruns.mark(RerunRequest(all=True, kinds=["caption"]), deadline=_soon())
    assert await _names(database, await _lease(completion)) == ["3.jpg", "0.jpg", "1.jpg", "2.jpg", "4.jpg"]


@pytest.mark.usefixtures("_images")
async def test_only_the_kinds_asked_for_are_wanted_and_twice_is_once(reruns: Reruns, database: Database) -> None:
    for _ in range(2):
        await reruns.mark(RerunRequest(label="meme", kinds=["label"]), deadline=_soon())
    async with database.reading() as repository:
        counts = {each.kind: each.rerun for each in await repository.work.counts()}
    assert counts == {"caption": 0, "label": 2}


@pytest.mark.usefixtures("_images")
async def test_the_new_word_takes_the_old_ones_place_and_a_refusal_leaves_it(
    reruns: Reruns, completion: Completion, database: Database
) -> None:
    await reruns.mark(RerunRequest(q="dog", kinds=["caption"]), deadline=_soon())
    leases = [lease for lease in await _lease(completion) if await _names(database, [lease]) != ["3.jpg"]]
    answer = CaptionAnswer(captions=[Alternative(value="a hound", confidence=0.6)], model=NEWER)
    refusal = WorkOutcome(failure=WorkFailure(reason="not this one", is_of_image=True))

    again = await completion.finish(leases[0].token, WorkOutcome(caption=answer), deadline=_soon())
    refused = await completion.finish(leases[1].token, refusal, deadline=_soon())

    assert again.caption is not None
    assert (again.status, again.caption.value, again.caption.model) == ("complete", "a hound", "vgg16-attention@2")
    assert refused.caption is not None
    assert (refused.status, refused.caption.value) == ("complete", "a dog jumps")


async def test_a_given_up_image_that_is_asked_for_again_is_tried_again(
    reruns: Reruns, completion: Completion, database: Database, archive: Archive
) -> None:
    await add_rows(database, [new_image(b"0", caption=None)])
    refusal = WorkOutcome(failure=WorkFailure(reason="no", is_of_image=True))
    for attempt in range(MOST_REFUSALS):
        later = datetime.now(UTC) + timedelta(seconds=attempt * LONGEST_PAUSE_S)
        patient = Completion(database, archive, clock=lambda later=later: later)
        [lease] = await _lease(patient)
        record = await patient.finish(lease.token, refusal, deadline=_soon())
    assert record.status == "failed"
    assert await _lease(completion) == []

    await reruns.mark(RerunRequest(all=True), deadline=_soon())

    assert len(await _lease(completion)) == 1


@pytest.mark.usefixtures("_images")
async def test_what_time_does_not_suffice_for_goes_on_from_the_cursor(
    reruns: Reruns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reruns_module, "IMAGES_A_STEP", 2)
    asked = RerunRequest(all=True)
    first = await reruns.mark(asked, deadline=Deadline.after(RESERVE_S))
    assert first.images == 2
    assert first.next_cursor

    behind = asked.model_copy(update={"cursor": first.next_cursor})
    assert (await reruns.count(behind)).images == 3
    rest = await reruns.mark(behind, deadline=_soon())
    assert (rest.images, rest.next_cursor) == (3, None)


@pytest.mark.parametrize("cursor", ["", "-1", "1; DROP TABLE images", "\u0661", "9" * 19])
async def test_a_made_up_cursor_is_refused(reruns: Reruns, cursor: str) -> None:
    with pytest.raises(BadRequest, match="not a cursor"):
        await reruns.mark(RerunRequest(all=True, cursor=cursor), deadline=_soon())


@pytest.mark.parametrize("asked", [{}, {"q": "  "}, {"all": True, "label": "photo"}, {"all": True, "kinds": []}])
def test_which_images_must_be_said_clearly(asked: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RerunRequest.model_validate(asked)
