from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from shared.contracts import Alternative, CaptionAnswer, ClassificationAnswer, Correction, ImageRecord, ModelName
from shared.deadline import Deadline
from shared.work_contracts import ImageHistory, LeaseRequest, RerunRequest, WorkOutcome
from storage_service import lineage, undoing
from storage_service.archive import Archive
from storage_service.completion import Completion
from storage_service.database import Database
from storage_service.reruns import Reruns
from storage_service.steps import RESERVE_S
from storage_service.undoing import Undoing
from tests.unit.storage.samples import CAPTIONER, CLASSIFIER, add_rows, files_below, new_image, upload

NEWER = ModelName(name="cnn", version="4")


@pytest.fixture
def undo(database: Database, archive: Archive) -> Undoing:
    return Undoing(database, archive)


@pytest.fixture
def completion(database: Database, archive: Archive) -> Completion:
    return Completion(database, archive)


def _soon() -> Deadline:
    return Deadline.after(30)


async def _add(archive: Archive, content: bytes = b"a dog") -> ImageRecord:
    record, _ = await archive.add(upload(new_image(content), content), deadline=_soon())
    return record


async def _label_again(completion: Completion, database: Database, label: str) -> None:
    await Reruns(database).mark(RerunRequest(all=True, kinds=["label"]), deadline=_soon())
    answer = ClassificationAnswer(label=label, labels=[Alternative(value=label, confidence=0.7)], model=NEWER)
    for lease in (await completion.lease(LeaseRequest(kind="label", limit=100, lease_s=30))).items:
        await completion.finish(lease.token, WorkOutcome(classification=answer), deadline=_soon())


async def _history(database: Database, image_id: UUID) -> ImageHistory:
    async with database.reading() as images:
        return lineage.history_of(await images.get(image_id))


async def _record(database: Database, image_id: UUID) -> ImageRecord:
    async with database.reading() as images:
        return lineage.record_of(await images.get(image_id))


async def _missing(database: Database) -> dict[str, int]:
    async with database.reading() as images:
        return {each.kind: each.missing for each in await images.work.counts()}


async def test_the_history_has_every_word_the_newest_first_and_says_which_are_current(
    archive: Archive, completion: Completion, database: Database
) -> None:
    record = await _add(archive)
    await archive.correct(record.id, Correction(label="pets"), deadline=_soon())
    await _label_again(completion, database, "meme")

    history = await _history(database, record.id)

    assert [(each.kind, each.value, each.source, each.model, each.is_current) for each in history.items] == [
        ("label", "meme", "model", "cnn@4", False),
        ("label", "pets", "person", None, True),
        ("caption", "a dog runs on grass", "model", "vgg16-attention@1", True),
        ("label", "photo", "model", "cnn@3", False),
    ]
    assert [each.confidence for each in history.items] == [0.7, None, 0.5, 0.9]
    assert [each.created_at for each in history.items] == sorted(
        (each.created_at for each in history.items), reverse=True
    )


async def test_counting_first_changes_nothing(archive: Archive, undo: Undoing, database: Database) -> None:
    records = [await _add(archive, content) for content in (b"one", b"two")]
    counted = await undo.count(CLASSIFIER)

    assert (counted.dry_run, counted.images, counted.analyses, counted.remaining) == (True, 2, 2, 2)
    assert [await _record(database, record.id) for record in records] == records
    assert (await undo.count(ModelName(name="cnn", version="no such"))).images == 0


async def test_an_undone_model_leaves_what_was_said_before_it_and_the_file_where_that_belongs(
    archive: Archive, undo: Undoing, completion: Completion, database: Database, folder: Path
) -> None:
    record = await _add(archive)
    await _label_again(completion, database, "meme")
    assert files_below(folder)[1] == f"meme/dog--{record.id}.jpg"

    undone = await undo.undo(NEWER, deadline=_soon())

    assert (undone.dry_run, undone.images, undone.analyses, undone.remaining) == (False, 1, 1, 0)
    assert await _record(database, record.id) == record
    assert files_below(folder)[1] == f"photo/dog--{record.id}.jpg"
    assert await _missing(database) == {"caption": 0, "label": 0}
    assert (await undo.undo(NEWER, deadline=_soon())).images == 0


async def test_what_no_one_else_has_said_is_wanted_again(
    archive: Archive, undo: Undoing, completion: Completion, database: Database, folder: Path
) -> None:
    record = await _add(archive)

    await undo.undo(CLASSIFIER, deadline=_soon())

    found = await _record(database, record.id)
    assert (found.status, found.label.value, found.labels) == ("pending", "unclassified", [])
    assert files_below(folder)[1] == f"unclassified/dog--{record.id}.jpg"
    assert await _missing(database) == {"caption": 0, "label": 1}
    [lease] = (await completion.lease(LeaseRequest(kind="label", lease_s=30))).items
    answer = ClassificationAnswer(label="meme", labels=[Alternative(value="meme", confidence=0.7)], model=NEWER)
    assert (
        await completion.finish(lease.token, WorkOutcome(classification=answer), deadline=_soon())
    ).status == "complete"


async def test_a_persons_word_stays_and_nobody_is_asked(archive: Archive, undo: Undoing, database: Database) -> None:
    record = await _add(archive)
    await archive.correct(record.id, Correction(label="pets", caption="Rex"), deadline=_soon())

    await undo.undo(CLASSIFIER, deadline=_soon())
    await undo.undo(CAPTIONER, deadline=_soon())

    found = await _record(database, record.id)
    assert found.caption is not None
    assert (found.status, found.label.value, found.caption.value) == ("complete", "pets", "Rex")
    assert await _missing(database) == {"caption": 0, "label": 0}
    assert [each.source for each in (await _history(database, record.id)).items] == ["person", "person"]


async def test_a_missing_file_keeps_no_image_from_being_undone(
    archive: Archive, undo: Undoing, database: Database, folder: Path
) -> None:
    lost, kept = await _add(archive, b"one"), await _add(archive, b"two")
    (folder / f"photo/dog--{lost.id}.jpg").unlink()

    undone = await undo.undo(CLASSIFIER, deadline=_soon())

    assert (undone.images, undone.remaining) == (2, 0)
    assert (folder / f"unclassified/dog--{kept.id}.jpg").is_file()
    assert (await _record(database, lost.id)).label.value == "unclassified"


async def test_what_time_does_not_suffice_for_is_counted_and_the_next_call_goes_on(
    undo: Undoing, database: Database, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undoing, "IMAGES_A_STEP", 2)
    for number in range(5):
        await _add(archive, bytes([number]))

    first = await undo.undo(CLASSIFIER, deadline=Deadline.after(RESERVE_S))  # of which nothing is left after a step
    rest = await undo.undo(CLASSIFIER, deadline=_soon())

    assert (first.images, first.remaining) == (2, 3)
    assert (rest.images, rest.remaining) == (3, 0)
    assert await _missing(database) == {"caption": 0, "label": 5}


async def test_a_model_that_gave_both_words_counts_an_image_once(database: Database, undo: Undoing) -> None:
    both = ModelName(name="both", version="1")
    new = new_image(b"x").model_copy(
        update={
            "caption": CaptionAnswer(captions=[Alternative(value="a dog", confidence=0.5)], model=both),
            "classification": ClassificationAnswer(
                label="photo", labels=[Alternative(value="photo", confidence=0.5)], model=both
            ),
        }
    )
    await add_rows(database, [new, new_image(b"y")])
    counted = await undo.count(both)
    assert (counted.images, counted.analyses) == (1, 2)
