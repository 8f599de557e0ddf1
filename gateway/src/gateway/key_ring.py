"""Know whose key a request shows, without asking storage each time, and forget it soon enough.

Only hashes are remembered, so many and so long as the settings say; a key that was revoked is refused at the latest
when its answer is forgotten. Requests that show the same key at the same moment wait for one answer.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.key_client import KnownKeys
from gateway.keys import id_of, sha256_of
from shared.access_errors import KeyMissing
from shared.deadline import Deadline
from shared.errors import Overloaded
from shared.key_contracts import KEY_ID_LENGTH, KeyCheck, KeyRecord, Scope

ASK_TIMEOUT_S = 5.0
MOST_REMEMBERED = 1_000
MOST_ASKED_AT_ONCE = 32
FROM_FILE = "0" * KEY_ID_LENGTH
"""Id of the key in GATEWAY_ADMIN_KEY_FILE, which storage does not know."""


@dataclass(frozen=True)
class Caller:
    """Who makes a request."""

    key_id: str
    name: str
    scope: Scope
    expires_at: datetime | None = None


class KeyRing:
    """The keys that count."""

    def __init__(
        self,
        known: KnownKeys,
        *,
        admin_key: str = "",
        remembered_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._known = known
        self._admin = sha256_of(admin_key) if admin_key else None
        self._remembered_s = remembered_s
        self._clock = clock
        self._answers: OrderedDict[str, tuple[float, KeyRecord | None]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[KeyRecord | None]] = {}

    async def caller(self, key: str) -> Caller:
        """Return who shows a key.

        Raises:
            KeyMissing: nobody whose key counts.
            ServiceError: storage cannot say.
        """
        sha256 = sha256_of(key)
        if self._admin is not None and hmac.compare_digest(sha256, self._admin):
            return Caller(FROM_FILE, "GATEWAY_ADMIN_KEY_FILE", "admin")
        key_id = id_of(key)
        record = await self._find(key_id, sha256) if key_id else None
        if record is None:
            raise KeyMissing("this key is not known here; make one with gateway-keys new", is_wrong=True)
        if record.revoked_at is not None:
            raise KeyMissing(f"the key {record.id} was revoked; make another with gateway-keys new", is_wrong=True)
        if record.expires_at is not None and record.expires_at <= datetime.now(UTC):
            ended = f"{record.expires_at:%Y-%m-%d}"
            raise KeyMissing(f"the key {record.id} ended on {ended}; make another with gateway-keys new", is_wrong=True)
        return Caller(record.id, record.name, record.scope, record.expires_at)

    async def _find(self, key_id: str, sha256: str) -> KeyRecord | None:
        remembered = self._answers.get(sha256)
        if remembered and self._clock() < remembered[0]:
            self._answers.move_to_end(sha256)
            return remembered[1]
        asking = self._asking.get(sha256)
        if asking is None:
            if len(self._asking) >= MOST_ASKED_AT_ONCE:
                raise Overloaded("too many keys are being looked up; try again shortly")
            asking = asyncio.create_task(self._ask(key_id, sha256))
            self._asking[sha256] = asking
            asking.add_done_callback(lambda done: self._asked(sha256, done))
        # One request that is given up must not end the question of the others.
        return await asyncio.shield(asking)

    async def _ask(self, key_id: str, sha256: str) -> KeyRecord | None:
        shown = KeyCheck(id=key_id, sha256=sha256)
        record = await self._known.check(shown, deadline=Deadline.after(ASK_TIMEOUT_S))
        self._answers[sha256] = (self._clock() + self._remembered_s, record)
        self._answers.move_to_end(sha256)
        while len(self._answers) > MOST_REMEMBERED:
            self._answers.popitem(last=False)
        return record

    def _asked(self, sha256: str, done: asyncio.Task[KeyRecord | None]) -> None:
        self._asking.pop(sha256, None)
        if not done.cancelled():
            done.exception()  # those who waited were told; perhaps nobody waits any more
