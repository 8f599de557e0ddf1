"""The backlog: what is done with pending work, in which order, and what when something fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from prometheus_client import CollectorRegistry

from gateway import completion as completion_module
from gateway.completion import Completion, CompletionLimits, CompletionMetrics
from gateway.decoding_process import DecodingLimits
from gateway.hygiene import Hygiene
from gateway.upload_limits import UploadLimits
from gateway.uploads import Uploads
from shared.contracts import CaptionAnswer
from shared.deadline import Deadline
from shared.errors import (
    BrokenImage,
    DeadlineExceeded,
    ForwardedProblem,
    Overloaded,
    Problem,
    ServiceError,
    UpstreamFailed,
)
from tests.fakes import FakeCaptions, FakeImages, FakeLabels, FakeWork

AT_ONCE = 2
NEVER_S = 3600.0


class SlowCaptions(FakeCaptions):
    """Answers when told, and counts who waits."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.waiting = 0
        self.most_waiting = 0

    async def caption(self, preview: bytes, *, deadline: Deadline) -> CaptionAnswer:
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        await self.go.wait()
        self.waiting -= 1
        return self.answer


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LONGEST_IDLE_PAUSE_S", "AWAY_PAUSE_S", "LONGEST_PAUSE_S", "COUNT_PAUSE_S"):
        monkeypatch.setattr(completion_module, name, 0.001)
    monkeypatch.setattr(completion_module, "PATIENCE_S", NEVER_S)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def uploads() -> Iterator[Uploads]:
    hygiene = Hygiene(
        processes=1, waiting=4, limits=DecodingLimits(pixel_limit=1_000_000, memory_bytes=2**30, timeout_s=30)
    )
    yield Uploads(
        captions=FakeCaptions(),
        labels=FakeLabels(),
        images=FakeImages(),
        hygiene=hygiene,
        limits=UploadLimits(model_timeout_s=5, uploads_at_once=2),
    )
    hygiene.close()


@pytest.fixture
def complete(uploads: Uploads, registry: CollectorRegistry) -> Callable[..., Completion]:
    def build(
        work: FakeWork, *, captions: FakeCaptions | None = None, ready: Callable[[str], bool] = lambda _: True
    ) -> Completion:
        return Completion(
            captions=captions or FakeCaptions(),
            labels=FakeLabels(),
            work=work,
            uploads=uploads,
            is_ready=ready,
            limits=CompletionLimits(at_once=AT_ONCE, model_timeout_s=5),
            metrics=CompletionMetrics(registry),
        )

    return build


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.001)


async def _for_a_while() -> None:
    """Let the loops turn many times."""
    await asyncio.sleep(0.05)


def _refused(error: type[ServiceError]) -> ForwardedProblem:
    problem = Problem(title=error.title, status=error.status, code=error.code, detail="no picture", request_id="x")
    return ForwardedProblem(problem)


async def test_pending_work_gets_its_word_and_is_counted(
    complete: Callable[..., Completion], registry: CollectorRegistry
) -> None:
    work = FakeWork("caption", "label", "caption")
    caption, label, _ = work.due
    async with complete(work).running():
        await _until(lambda: len(work.reports) == 3)
        await _until(lambda: registry.get_sample_value("pending_work", {"kind": "caption", "state": "missing"}) == 0)

    assert work.reports[caption.token].caption == FakeCaptions().answer
    assert work.reports[label.token].classification == FakeLabels().answer
    assert registry.get_sample_value("pending_work", {"kind": "label", "state": "rerun"}) == 7
    done = {"kind": "caption", "result": "done"}
    assert registry.get_sample_value("completion_results_total", done) == 2


async def test_what_an_upload_leaves_over_is_taken_at_once(
    complete: Callable[..., Completion], uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRST_IDLE_PAUSE_S", "LONGEST_IDLE_PAUSE_S"):
        monkeypatch.setattr(completion_module, name, 3600)
    work = FakeWork()
    async with complete(work).running():
        await _for_a_while()
        work.due += FakeWork("caption", "label").due
        await _for_a_while()
        assert not work.reports
        uploads.left_over.tell()
        await _until(lambda: len(work.reports) == 2)


@pytest.mark.parametrize(
    ("error", "is_of_image"),
    [
        (_refused(BrokenImage), True),
        (UpstreamFailed("caption cannot be reached"), False),
        (Overloaded("caption is busy"), False),
        (DeadlineExceeded("caption did not answer in time"), False),
    ],
)
async def test_a_failure_is_reported_with_its_reason_and_whose_fault_it_is(
    complete: Callable[..., Completion], error: ServiceError, *, is_of_image: bool
) -> None:
    work = FakeWork("caption")
    async with complete(work, captions=FakeCaptions(error=error)).running():
        await _until(lambda: bool(work.reports))

    [outcome] = work.reports.values()
    assert outcome.failure is not None
    assert (outcome.failure.reason, outcome.failure.is_of_image) == (error.detail, is_of_image)


async def test_a_preview_that_storage_cannot_give_is_not_the_images_fault(
    complete: Callable[..., Completion],
) -> None:
    work = FakeWork("label")
    work.preview_error = UpstreamFailed("storage failed: the disk is away")
    async with complete(work).running():
        await _until(lambda: bool(work.reports))

    [outcome] = work.reports.values()
    assert outcome.failure is not None
    assert (outcome.failure.reason, outcome.failure.is_of_image) == ("storage failed: the disk is away", False)


async def test_an_upload_in_progress_goes_before_the_backlog(
    complete: Callable[..., Completion], uploads: Uploads
) -> None:
    work = FakeWork("caption", "label")
    async with complete(work).running():
        with uploads.admitted():
            await _for_a_while()
            assert len(work.due) == 2
        await _until(lambda: len(work.reports) == 2)


async def test_a_busy_day_does_not_starve_the_backlog(
    complete: Callable[..., Completion], uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completion_module, "PATIENCE_S", 0.01)
    work = FakeWork("caption", "label")
    with uploads.admitted():
        async with complete(work).running():
            await _until(lambda: len(work.reports) == 2)


async def test_no_model_is_asked_about_more_images_at_once_than_allowed(complete: Callable[..., Completion]) -> None:
    work, captions = FakeWork(*["caption"] * 6), SlowCaptions()
    async with complete(work, captions=captions).running():
        await _until(lambda: captions.waiting == AT_ONCE)
        await _for_a_while()
        assert (captions.waiting, len(work.due)) == (AT_ONCE, 6 - AT_ONCE)
        captions.go.set()
        await _until(lambda: len(work.reports) == 6)
    assert captions.most_waiting == AT_ONCE


@pytest.mark.parametrize("away", ["caption", "storage"])
async def test_nothing_is_taken_while_a_service_is_away_and_all_is_done_when_it_is_back(
    complete: Callable[..., Completion], away: str
) -> None:
    absent = {away}
    work = FakeWork("caption")
    async with complete(work, ready=lambda name: name not in absent).running():
        await _for_a_while()
        assert len(work.due) == 1
        absent.clear()
        await _until(lambda: len(work.reports) == 1)


@pytest.mark.parametrize("error", [UpstreamFailed("storage cannot be reached"), RuntimeError("nobody foresaw this")])
async def test_the_loop_goes_on_after_storage_failed(complete: Callable[..., Completion], error: Exception) -> None:
    work = FakeWork("caption", "label")
    work.lease_errors = [error] * 5
    async with complete(work).running():
        await _until(lambda: len(work.reports) == 2)


async def test_work_that_was_lost_meanwhile_is_counted_as_such(
    complete: Callable[..., Completion], registry: CollectorRegistry
) -> None:
    work = FakeWork("label")
    work.lost = {work.due[0].token}
    lost = {"kind": "label", "result": "lost"}
    async with complete(work).running():
        await _until(lambda: registry.get_sample_value("completion_results_total", lost) == 1)
    assert work.reports == {}


async def test_what_is_under_way_at_the_end_is_finished_and_nothing_new_is_taken(
    complete: Callable[..., Completion], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completion_module, "STOP_GRACE_S", NEVER_S)
    work, captions = FakeWork(*["caption"] * 6), SlowCaptions()
    async with complete(work, captions=captions).running():
        await _until(lambda: captions.waiting == AT_ONCE)
        asyncio.get_running_loop().call_later(0.01, captions.go.set)
    assert (len(work.reports), len(work.due)) == (AT_ONCE, 6 - AT_ONCE)


async def test_what_takes_too_long_at_the_end_is_left_to_another(
    complete: Callable[..., Completion], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completion_module, "STOP_GRACE_S", 0.01)
    work, captions = FakeWork("caption"), SlowCaptions()
    async with complete(work, captions=captions).running():
        await _until(lambda: captions.waiting == 1)
    assert work.reports == {}
