"""Finish what the models could not say at upload: take one image's work after another from storage, and ask again.

Any number of gateways share the work; storage gives each piece to one of them, for as long as it may take. Uploads go
first: new work is taken when none is in progress, or after `PATIENCE_S`, or a busy day would starve the backlog.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge

from gateway.clients import Captions, Labels
from gateway.uploads import Uploads
from gateway.work_client import Work
from shared.contracts import Kind
from shared.deadline import Deadline
from shared.errors import BrokenImage, ForwardedProblem, ImageTooLarge, ServiceError, UnsupportedImage
from shared.telemetry import begin_request_id
from shared.work_contracts import Lease, WorkFailure, WorkOutcome

log = logging.getLogger(__name__)

KINDS: tuple[Kind, ...] = ("caption", "label")
SERVICE_OF: dict[Kind, str] = {"caption": "caption", "label": "classify"}
OF_THE_IMAGE = frozenset({ImageTooLarge.status, UnsupportedImage.status, BrokenImage.status})
"""Refusals that the same image would meet again; any other failure is the service's, the network's, or ours."""

STORAGE_TIMEOUT_S = 5.0
PATIENCE_S = 5.0
FIRST_IDLE_PAUSE_S, LONGEST_IDLE_PAUSE_S = 0.5, 4.0
"""Of what others leave over, in batches or at another gateway, this one hears only by asking."""
AWAY_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
COUNT_PAUSE_S = 15.0
STOP_GRACE_S = 3.0
REASON_LENGTH = 500


@dataclass(frozen=True)
class CompletionLimits:
    """How many images each model is asked about at once, and for how long it is waited for."""

    at_once: int
    model_timeout_s: float

    @property
    def lease_s(self) -> float:
        """Reading the preview, the model's time, reporting: nobody else may have the work meanwhile."""
        return 2 * STORAGE_TIMEOUT_S + self.model_timeout_s


class CompletionMetrics:
    """What a person sees of the backlog from outside."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.pending = Gauge(
            "pending_work", "Captions and labels wanted of the models.", ["kind", "state"], registry=registry
        )
        self.results = Counter(
            "completion_results", "Pending work that this gateway did.", ["kind", "result"], registry=registry
        )


class Completion:
    """Works on the backlog while it runs."""

    def __init__(
        self,
        *,
        captions: Captions,
        labels: Labels,
        work: Work,
        uploads: Uploads,
        is_ready: Callable[[str], bool],
        limits: CompletionLimits,
        metrics: CompletionMetrics,
    ) -> None:
        self._captions = captions
        self._labels = labels
        self._work = work
        self._uploads = uploads
        self._is_ready = is_ready
        self._limits = limits
        self._metrics = metrics
        self._under_way: set[asyncio.Task[None]] = set()
        self._failures = dict.fromkeys(KINDS, 0)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work; at the end take nothing new, and leave to another what takes longer than `STOP_GRACE_S`."""
        loops = [asyncio.create_task(self._take_work(kind)) for kind in KINDS] + [asyncio.create_task(self._count())]
        try:
            yield
        finally:
            await _cancel(loops)
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=STOP_GRACE_S)
            await _cancel(list(self._under_way))

    async def _take_work(self, kind: Kind) -> None:
        free = asyncio.Semaphore(self._limits.at_once)
        idle_s = 0.0
        while True:
            await free.acquire()
            if pause_s := self._pause_s(kind):
                await asyncio.sleep(pause_s)
            elif idle_s:
                await self._uploads.left_over.wait(at_most_s=idle_s)
            await self._uploads.wait_for_quiet(at_most_s=PATIENCE_S)
            deadline = Deadline.after(self._limits.lease_s)  # begins before the lease does, so it ends before it
            lease = await self._lease(kind)
            if lease is None:
                is_idle = not self._pause_s(kind)
                idle_s = min(LONGEST_IDLE_PAUSE_S, 2 * idle_s or FIRST_IDLE_PAUSE_S) if is_idle else 0.0
                free.release()
                continue
            idle_s = 0.0
            task = asyncio.create_task(self._complete(lease, deadline))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            task.add_done_callback(lambda _: free.release())

    def _pause_s(self, kind: Kind) -> float:
        if failures := self._failures[kind]:
            return min(LONGEST_PAUSE_S, 2.0 ** min(failures - 1, 10)) * random.uniform(0.5, 1)  # noqa: S311  # no secret
        if not self._can_work(kind):
            return AWAY_PAUSE_S
        return 0

    def _can_work(self, kind: Kind) -> bool:
        return self._is_ready(SERVICE_OF[kind]) and self._is_ready("storage")

    async def _lease(self, kind: Kind) -> Lease | None:
        if not self._can_work(kind):
            self._failures[kind] = 0  # who is away begins anew when it is back
            return None
        begin_request_id()
        try:
            deadline = Deadline.after(STORAGE_TIMEOUT_S)
            lease = await self._work.lease(kind, lease_s=self._limits.lease_s, deadline=deadline)
        except ServiceError as error:
            self._note_failure(kind, "no_work_taken", error.detail)
            return None
        except Exception:  # the outermost handler here: the loop must outlive what nobody foresaw
            log.exception("completion_broke", extra={"kind": kind})
            self._failures[kind] += 1
            return None
        if lease is None:
            self._failures[kind] = 0
        return lease

    async def _complete(self, lease: Lease, deadline: Deadline) -> None:
        begin_request_id()
        try:
            outcome = await self._outcome(lease)
            record = await self._work.report(lease.token, outcome, deadline=deadline)
        except ServiceError as error:  # the lease ends, and then the work is anyone's again
            self._note_failure(lease.kind, "work_not_reported", error.detail)
            result = "lost"
        except Exception:  # as above
            log.exception("completion_broke", extra={"kind": lease.kind, "image_id": lease.image_id})
            self._failures[lease.kind] += 1
            result = "lost"
        else:
            result = "lost" if record is None else "put_off" if outcome.failure else "done"
            fields = {"kind": lease.kind, "image_id": lease.image_id, "status": record and record.status}
            log.info("work_lost" if record is None else f"work_{result}", extra=fields)
        self._metrics.results.labels(lease.kind, result).inc()

    async def _outcome(self, lease: Lease) -> WorkOutcome:
        try:
            preview = await self._work.preview(lease.image_id, deadline=Deadline.after(STORAGE_TIMEOUT_S))
            outcome = await self._ask(lease.kind, preview)
        except ServiceError as error:
            is_of_image = isinstance(error, ForwardedProblem) and error.status in OF_THE_IMAGE
            if not is_of_image:
                self._note_failure(lease.kind, "work_failed", error.detail)
            reason = error.detail.strip()[:REASON_LENGTH] or error.title
            return WorkOutcome(failure=WorkFailure(reason=reason, is_of_image=is_of_image))
        self._failures[lease.kind] = 0
        return outcome

    async def _ask(self, kind: Kind, preview: bytes) -> WorkOutcome:
        deadline = Deadline.after(self._limits.model_timeout_s)
        if kind == "caption":
            return WorkOutcome(caption=await self._captions.caption(preview, deadline=deadline))
        return WorkOutcome(classification=await self._labels.classify(preview, deadline=deadline))

    def _note_failure(self, kind: Kind, event: str, reason: str) -> None:
        self._failures[kind] += 1
        log.warning(event, extra={"kind": kind, "reason": reason, "failures": self._failures[kind]})

    async def _count(self) -> None:
        while True:
            with contextlib.suppress(ServiceError):  # the loops say what is wrong; the last count stays
                for each in await self._work.counts(deadline=Deadline.after(STORAGE_TIMEOUT_S)):
                    for state in ("missing", "rerun", "failed"):
                        self._metrics.pending.labels(each.kind, state).set(getattr(each, state))
            await asyncio.sleep(COUNT_PAUSE_S)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
