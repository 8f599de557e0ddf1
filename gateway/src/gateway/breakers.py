"""Stop asking a service that has failed again and again, and try it once in a while.

pybreaker counts and keeps the state (aiobreaker, which knows asyncio, has had no release since 2021; purgatory and
pybreaker let every waiting call in at once when a service is tried again, which for one that hangs is the very harm).
Added here are what we need beyond it: one trial at a time, a clock that nobody sets, and what counts as a failure.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pybreaker
from prometheus_client import CollectorRegistry, Counter, Enum

from shared.errors import DeadlineExceeded, UpstreamFailed, UpstreamUnavailable

log = logging.getLogger(__name__)

FAIR_S = 2.0
"""Who gives a service less time must not complain of it; or impatient clients would cut it off for all others."""


class CircuitOpen(UpstreamUnavailable):
    """The service was not asked, for it has failed again and again."""


@dataclass(frozen=True)
class BreakerLimits:
    """When a service is not asked any more, and for how long."""

    failures: int
    """In a row."""
    pause_s: float


class UpstreamMetrics:
    """What a person sees of the calls to the services behind."""

    def __init__(self, registry: CollectorRegistry) -> None:
        states = [pybreaker.STATE_CLOSED, pybreaker.STATE_HALF_OPEN, pybreaker.STATE_OPEN]
        self.state = Enum("breaker_state", "Whether a service is asked.", ["service"], states=states, registry=registry)
        self.refused = Counter("breaker_refused", "Calls that were not made.", ["service"], registry=registry)
        self.repeated = Counter("upstream_retries", "Calls that were made again.", ["service"], registry=registry)


class Breaker(pybreaker.CircuitBreakerListener):
    """Guards the calls to one service."""

    def __init__(
        self,
        service: str,
        limits: BreakerLimits,
        metrics: UpstreamMetrics,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._limits = limits
        self._metrics = metrics
        self._clock = clock
        self._opened_s = -math.inf
        self._is_trying = False
        self._reason = ""
        # Its own clock is the wall's: the pause is ours, and whatever passes it is a trial.
        self._circuit = pybreaker.CircuitBreaker(
            fail_max=limits.failures,
            reset_timeout=0,
            exclude=[_Excused],
            listeners=[self],
            name=service,
            throw_new_error_on_trip=False,
        )
        metrics.state.labels(service).state(pybreaker.STATE_CLOSED)

    @property
    def state(self) -> str:
        """`closed`, `open` or `half-open`."""
        return self._circuit.current_state

    def is_admitting(self) -> bool:
        """Say whether a call would be made now."""
        is_closed = self.state == pybreaker.STATE_CLOSED
        return is_closed or (not self._is_trying and self._pause_left_s() <= 0)

    def require_admitting(self) -> None:
        """Raise CircuitOpen unless a call would be made now."""
        if not self.is_admitting():
            self._metrics.refused.labels(self._service).inc()
            raise CircuitOpen(
                f"{self._service} is not asked for a while, for it has failed again and again: {self._reason}",
                retry_after_s=max(1, math.ceil(self._pause_left_s())),
            )

    @contextmanager
    def guarding(self, *, given_s: float) -> Iterator[None]:
        """Guard one call that was given so much time.

        Raises:
            CircuitOpen: the call is not to be made.
        """
        self.require_admitting()
        is_trial = self.state != pybreaker.STATE_CLOSED
        self._is_trying = self._is_trying or is_trial
        excused: _Excused | None = None
        try:
            with self._circuit.calling():
                try:
                    yield
                except BaseException as error:
                    if _is_failure(error, is_trial=is_trial, given_s=given_s):
                        self._reason = str(error) or "nobody waited for its answer"
                        raise
                    raise _Excused(error) from error
        except _Excused as error:
            excused = error
        finally:
            if is_trial:
                self._is_trying = False
        if excused is not None:
            raise excused.error

    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,  # noqa: ARG002  # as pybreaker calls it
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        """Note and tell that the state has changed; called by pybreaker, also when an open one is opened again."""
        if new_state.name == pybreaker.STATE_OPEN:
            self._opened_s = self._clock()
        if old_state is None or old_state.name != new_state.name:
            self._metrics.state.labels(self._service).state(new_state.name)
            level = logging.WARNING if new_state.name == pybreaker.STATE_OPEN else logging.INFO
            log.log(level, "breaker_changed", extra={"upstream": self._service, "state": new_state.name})

    def _pause_left_s(self) -> float:
        return self._opened_s + self._limits.pause_s - self._clock()


class _Excused(Exception):
    """Carries past pybreaker what is no failure of the service."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


def _is_failure(error: BaseException, *, is_trial: bool, given_s: float) -> bool:
    """Say whether the service is to blame: it is down or breaks. One that is full, or refuses, does its job."""
    if isinstance(error, UpstreamFailed):
        return True
    if isinstance(error, DeadlineExceeded):
        return is_trial or given_s >= FAIR_S
    # A trial that nobody waited for has shown nothing.
    return is_trial and isinstance(error, asyncio.CancelledError)
