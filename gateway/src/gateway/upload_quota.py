"""How many bytes one key may upload in a day, in UTC; storage keeps the sum, so all gateways count together.

A request that says its length is counted before a byte of it is accepted; what did not come is given back. One that
does not say it is cut off where the day is full.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from gateway.key_client import Days
from shared.access_errors import QuotaExceeded
from shared.body import readable_size
from shared.deadline import Deadline
from shared.errors import ServiceError
from shared.key_contracts import MOST_BYTES, BytesSent, DayOfKey

log = logging.getLogger(__name__)

ASK_TIMEOUT_S = 5.0
DAY_S = 86_400
UPLOADS = "multipart/form-data"
_MOST_DIGITS = 18


@dataclass
class CountedBody:
    """A request's body on its way in."""

    quota: UploadQuota
    key_id: str
    receive: Receive
    reserved_bytes: int
    day: DayOfKey
    received_bytes: int = 0

    async def receive_counted(self) -> Message:
        """Pass on one message; raises QuotaExceeded where the day is full."""
        message = await self.receive()
        self.received_bytes += len(message.get("body", b""))
        unreserved_bytes = self.received_bytes - self.reserved_bytes
        if self.day.sent_bytes + unreserved_bytes > self.quota.limit_bytes:
            raise self.quota.exceeded(self.day)
        return message

    async def settle(self) -> None:
        """Count what came beyond what was said, or give back what did not come."""
        difference = self.received_bytes - self.reserved_bytes
        if difference:
            await asyncio.shield(self.quota.correct(self.key_id, difference))


class UploadQuota:
    """The day's limit of each key."""

    def __init__(self, days: Days, *, limit_bytes: int) -> None:
        self._days = days
        self.limit_bytes = limit_bytes

    async def open(self, key_id: str, headers: Headers, receive: Receive) -> CountedBody | None:
        """Count an upload before it comes; None for a request that is none.

        Raises:
            QuotaExceeded: the day's bytes do not suffice.
        """
        if not headers.get("content-type", "").lower().startswith(UPLOADS):
            return None
        length = headers.get("content-length", "")
        said_bytes = int(length) if length.isascii() and length.isdigit() and len(length) <= _MOST_DIGITS else 0
        day = await self._count(key_id, said_bytes, limit_bytes=self.limit_bytes)
        if not day.is_counted or day.sent_bytes > self.limit_bytes:
            raise self.exceeded(day)
        return CountedBody(self, key_id, receive, said_bytes, day)

    async def correct(self, key_id: str, difference_bytes: int) -> None:
        """Count, whatever the limit is, for these bytes have come; or give them back."""
        try:
            await self._count(key_id, difference_bytes, limit_bytes=MOST_BYTES)
        except ServiceError as error:
            log.warning("upload_not_counted", extra={"key_id": key_id, "reason": error.detail})

    def exceeded(self, day: DayOfKey) -> QuotaExceeded:
        """Return the refusal of more bytes today."""
        left_bytes = max(0, self.limit_bytes - day.sent_bytes)
        return QuotaExceeded(
            f"this key may upload {readable_size(self.limit_bytes)} a day and has {readable_size(left_bytes)} left; "
            "the next day begins at 0:00 UTC",
            retry_after_s=max(1, day.day_ends_in_s),
            headers={
                "RateLimit-Policy": f'"uploads";q={self.limit_bytes};qu="content-bytes";w={DAY_S}',
                "RateLimit": f'"uploads";r={left_bytes};t={day.day_ends_in_s}',
            },
        )

    async def _count(self, key_id: str, size_bytes: int, *, limit_bytes: int) -> DayOfKey:
        sent = BytesSent(size_bytes=size_bytes, limit_bytes=limit_bytes)
        return await self._days.count(key_id, sent, deadline=Deadline.after(ASK_TIMEOUT_S))
