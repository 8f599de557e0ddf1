"""Let a client send a request twice that must happen once: with an Idempotency-Key, the second gets the first's answer.

After draft-ietf-httpapi-idempotency-key-header-07. Storage keeps the keys, so that it does not matter which gateway is
asked, nor whether the one that began is still there. What failed on our side is not kept: the client may try again.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Protocol
from uuid import UUID, uuid4

from fastapi import Depends, Header, Response

from shared.deadline import Deadline
from shared.errors import BadRequest, ServiceError, error_response
from shared.http_client import ServiceClient
from shared.idempotency import LONGEST_BODY, MOST_KEY_LETTERS, KeyClaim, KeyClaimed, StoredAnswer

log = logging.getLogger(__name__)

HEADER = "Idempotency-Key"
REPLAYED = {"Idempotency-Replayed": "true"}
GRACE_S = 5.0
"""After its deadline a request may still be at work in storage; so long nobody takes over."""
AFTERWARDS_S = 5.0
"""For what is told to storage when the work is done or has failed, whatever is left of the deadline."""
TELL_AGAIN_S = 0.5
MOST_TOLD_LATER = 200
"""What storage could not be told, because it was being restarted, is told later, as long as the claim lasts."""
NOT_KEPT = frozenset({408, 409, 425, 429})
"""Refusals that the same request need not meet again; nor is any failure of 500 and above kept."""

_KEY = re.compile(rf"[\x21-\x7e]{{1,{MOST_KEY_LETTERS}}}")


async def read_key(
    idempotency_key: Annotated[
        str | None,
        Header(
            alias=HEADER,
            description="A new one for each request, for instance a UUID: sent again, the request is not done again, "
            "and gets the same answer. 1 to 255 visible ASCII signs, in double quotes or without.",
        ),
    ] = None,
) -> str | None:
    """Return the key; raise BadRequest where it is none. The draft's quotes count for nothing."""
    if idempotency_key is None:
        return None
    key = idempotency_key
    if len(key) > 2 and key.startswith('"') and key.endswith('"'):
        key = key[1:-1]
    if not _KEY.fullmatch(key):
        raise BadRequest(f"{HEADER} must be 1 to {MOST_KEY_LETTERS} visible ASCII signs, without spaces")
    return key


IdempotencyKey = Annotated[str | None, Depends(read_key)]


def fingerprint(*parts: str) -> str:
    """Return the SHA-256 of what makes a request: its method and path, and what tells its payload from others."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8) + encoded)
    return digest.hexdigest()


class Keys(Protocol):
    """Whoever keeps keys and answers."""

    async def claim(self, claim: KeyClaim, *, deadline: Deadline) -> KeyClaimed:
        """Take a key, or return its answer."""

    async def keep(self, token: UUID, answer: StoredAnswer, *, deadline: Deadline) -> None:
        """Keep an answer."""

    async def release(self, token: UUID, *, deadline: Deadline) -> None:
        """Give a key back."""


class RequestKeyClient:
    """The part of storage-service that keeps keys."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def claim(self, claim: KeyClaim, *, deadline: Deadline) -> KeyClaimed:
        """Take a key, or return its answer; raises ForwardedProblem (409 in flight, 422 used for something else)."""
        asked = claim.model_dump(mode="json")
        return await self._service.call(KeyClaimed, "POST", "/v1/idempotency-keys", deadline=deadline, json=asked)

    async def keep(self, token: UUID, answer: StoredAnswer, *, deadline: Deadline) -> None:
        """Keep an answer."""
        path, said = f"/v1/idempotency-keys/{token}", answer.model_dump(mode="json")
        await self._service.send("PUT", path, deadline=deadline, json=said)

    async def release(self, token: UUID, *, deadline: Deadline) -> None:
        """Give a key back."""
        await self._service.send("DELETE", f"/v1/idempotency-keys/{token}", deadline=deadline)


class Idempotency:
    """Does each request with a key once."""

    def __init__(self, keys: Keys, *, keep_s: float) -> None:
        self._keys = keys
        self._keep_s = keep_s
        self._telling: set[asyncio.Task[None]] = set()

    async def once(
        self,
        work: Callable[[], Awaitable[Response]],
        *,
        key: str | None,
        request: str,
        deadline: Deadline,
        owner: str = "",
    ) -> Response:
        """Return the answer of `work`, or the one that a request with this key was given before.

        Args:
            work: What the request asks for; not called where it was done before.
            key: From `read_key`; without one, `work` is simply done.
            request: What `fingerprint` gives for it.
            deadline: Of the request.
            owner: Whose key it is; the same key of another is another one.

        Raises:
            ForwardedProblem: 409 where the first such request is not done yet, 422 where it was another request.
        """
        if key is None:
            return await work()
        token = uuid4()
        claim_end = Deadline.after(deadline.remaining_s() + GRACE_S)
        claim = KeyClaim(
            owner=owner,
            key=key,
            token=token,
            fingerprint=request,
            in_flight_s=claim_end.remaining_s(),
            keep_s=self._keep_s,
        )
        if before := (await self._keys.claim(claim, deadline=deadline)).answer:
            return _replayed(before)
        try:
            response = await work()
        except ServiceError as error:
            if error.status >= 500 or error.status in NOT_KEPT:
                await self._release(token, claim_end)
                raise
            response = error_response(error)
        except BaseException:  # also when the client has left: whoever comes next need not wait for the claim's end
            await self._release(token, claim_end)
            raise
        await self._keep(token, response, claim_end)
        return response

    async def _keep(self, token: UUID, response: Response, claim_end: Deadline) -> None:
        body = bytes(response.body).decode("utf-8")
        if len(body) > LONGEST_BODY:
            await self._release(token, claim_end)
            return
        answer = StoredAnswer(
            status=response.status_code,
            location=response.headers.get("location"),
            media_type=response.headers["content-type"],
            body=body,
        )
        await self._afterwards(lambda: self._keys.keep(token, answer, deadline=Deadline.after(AFTERWARDS_S)), claim_end)

    async def _release(self, token: UUID, claim_end: Deadline) -> None:
        await self._afterwards(lambda: self._keys.release(token, deadline=Deadline.after(AFTERWARDS_S)), claim_end)

    async def _afterwards(self, tell: Callable[[], Awaitable[None]], claim_end: Deadline) -> None:
        """Tell storage, also while this request is being cancelled, and later where it cannot be reached now."""
        try:
            await asyncio.shield(tell())
        except ServiceError as error:
            log.warning("idempotency_not_told", extra={"reason": error.detail})
            if error.status >= 500 and len(self._telling) < MOST_TOLD_LATER:
                task = asyncio.create_task(self._tell_later(tell, claim_end))
                self._telling.add(task)
                task.add_done_callback(self._telling.discard)

    async def _tell_later(self, tell: Callable[[], Awaitable[None]], claim_end: Deadline) -> None:
        while time.monotonic() + TELL_AGAIN_S < claim_end.at_s:
            await asyncio.sleep(TELL_AGAIN_S)
            try:
                await tell()
            except ServiceError as error:
                if error.status < 500:  # another has taken over
                    return
            else:
                return


def _replayed(answer: StoredAnswer) -> Response:
    location = {"Location": answer.location} if answer.location else {}
    return Response(answer.body, answer.status, headers=REPLAYED | location, media_type=answer.media_type)
