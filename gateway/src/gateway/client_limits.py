"""How much one client may ask: so many requests a second with a burst, so many at once; other clients are not touched.

A token bucket for each key, kept in this process: with several gateways a client has so much at each. It stands here
in some lines because the well-kept libraries (`limits`, `pyrate-limiter`) count in windows, which cannot say "so many a
second, and so many in a burst". What is told follows draft-ietf-httpapi-ratelimit-headers-10.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from shared.access_errors import QuotaExceeded

MOST_CLIENTS = 10_000


@dataclass
class _Client:
    tokens: float
    seen_s: float
    at_once: int = 0


class ClientLimits:
    """What each client has left."""

    def __init__(self, *, per_s: float, burst: int, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._burst = burst
        self._at_once = at_once
        self._clock = clock
        self._clients: OrderedDict[str, _Client] = OrderedDict()
        self.policy = (
            f'"requests";q={burst};w={math.ceil(burst / per_s)}, "at-once";q={at_once};qu="concurrent-requests"'
        )

    def begin(self, client_id: str) -> None:
        """Take one request's place, which `end` gives back.

        Raises:
            QuotaExceeded: the client asks too fast, or too much at once.
        """
        client = self._client(client_id)
        if client.at_once >= self._at_once:
            raise QuotaExceeded(
                f"{self._at_once} requests of this key are under way, the most at once; wait for one of them",
                retry_after_s=1,
                headers={"RateLimit-Policy": self.policy, "RateLimit": '"at-once";r=0'},
            )
        if client.tokens < 1:
            wait_s = (1 - client.tokens) / self._per_s
            raise QuotaExceeded(
                f"this key has asked too fast: {self._per_s:g} requests a second are allowed, {self._burst} in a burst",
                retry_after_s=max(1, math.ceil(wait_s)),
                headers=self.headers(client_id),
            )
        client.tokens -= 1
        client.at_once += 1

    def end(self, client_id: str) -> None:
        """Give a request's place back."""
        client = self._clients.get(client_id)
        if client is not None:
            client.at_once -= 1

    def headers(self, client_id: str) -> dict[str, str]:
        """Return what the client has left, and in how many seconds it has all again."""
        client = self._client(client_id)
        full_in_s = math.ceil((self._burst - client.tokens) / self._per_s)
        return {
            "RateLimit-Policy": self.policy,
            "RateLimit": f'"requests";r={max(0, int(client.tokens))};t={full_in_s}',
        }

    def _client(self, client_id: str) -> _Client:
        now_s = self._clock()
        client = self._clients.get(client_id)
        if client is None:
            client = self._clients[client_id] = _Client(tokens=self._burst, seen_s=now_s)
            self._forget_the_idle()
        client.tokens = min(self._burst, client.tokens + (now_s - client.seen_s) * self._per_s)
        client.seen_s = now_s
        self._clients.move_to_end(client_id)
        return client

    def _forget_the_idle(self) -> None:
        """Keep the memory bounded; who has requests under way is never forgotten."""
        if len(self._clients) <= MOST_CLIENTS:
            return
        idle = [key for key, client in self._clients.items() if not client.at_once][:-1]
        for key in idle[: len(self._clients) - MOST_CLIENTS]:
            del self._clients[key]
