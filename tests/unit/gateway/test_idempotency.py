"""Requests with a key: done once, answered the same, and free again where we failed."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from fastapi import Response

from gateway import idempotency as idempotency_module
from gateway.idempotency import Idempotency, fingerprint, read_key
from shared.deadline import Deadline
from shared.errors import BadRequest, BrokenImage, Overloaded, ServiceError, UpstreamFailed, UpstreamUnavailable
from shared.idempotency import LONGEST_BODY, KeyClaim, KeyClaimed, RequestInFlight, StoredAnswer


class FakeKeys:
    """Storage's keys, in memory."""

    def __init__(self) -> None:
        self.claims: dict[str, KeyClaim] = {}
        self.answers: dict[UUID, StoredAnswer] = {}
        self.error: ServiceError | None = None

    async def claim(self, claim: KeyClaim, *, deadline: Deadline) -> KeyClaimed:
        before = self.claims.setdefault(claim.owner + claim.key, claim)
        if before is not claim and before.token not in self.answers:
            raise RequestInFlight("in flight")
        return KeyClaimed(answer=self.answers.get(before.token))

    async def keep(self, token: UUID, answer: StoredAnswer, *, deadline: Deadline) -> None:
        if self.error:
            raise self.error
        self.answers[token] = answer

    async def release(self, token: UUID, *, deadline: Deadline) -> None:
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        self.claims = {key: claim for key, claim in self.claims.items() if claim.token != token}


class Work:
    """Counts how often it is done."""

    def __init__(self, error: BaseException | None = None, body: str = '{"id": 1}') -> None:
        self.error = error
        self.body = body
        self.times = 0

    async def __call__(self) -> Response:
        self.times += 1
        if self.error:
            raise self.error
        return Response(self.body, 201, headers={"Location": "/images/1"}, media_type="application/json")


@pytest.fixture
def keys() -> FakeKeys:
    return FakeKeys()


async def _once(keys: FakeKeys, work: Work, *, key: str | None = "k", owner: str = "") -> Response:
    idempotency = Idempotency(keys, keep_s=3600)
    return await idempotency.once(work, key=key, request=fingerprint("x"), deadline=Deadline.after(10), owner=owner)


async def test_the_second_request_gets_the_firsts_answer_and_is_not_done(keys: FakeKeys) -> None:
    work = Work()
    first, second = await _once(keys, work), await _once(keys, work)
    assert (first.status_code, first.body) == (second.status_code, second.body)
    for header in ("location", "content-type"):
        assert first.headers[header] == second.headers[header]
    assert ("idempotency-replayed" in first.headers, second.headers["idempotency-replayed"]) == (False, "true")
    assert work.times == 1


async def test_without_a_key_nothing_is_kept(keys: FakeKeys) -> None:
    work = Work()
    await _once(keys, work, key=None)
    await _once(keys, work, key=None)
    assert (work.times, keys.claims) == (2, {})


async def test_two_owners_may_use_the_same_key(keys: FakeKeys) -> None:
    work = Work()
    await _once(keys, work, owner="a")
    await _once(keys, work, owner="b")
    assert work.times == 2


async def test_a_refusal_is_kept_as_well(keys: FakeKeys) -> None:
    work = Work(BrokenImage("it breaks off"))
    first, second = await _once(keys, work), await _once(keys, work)
    assert (first.status_code, second.status_code, work.times) == (422, 422, 1)
    assert second.body == first.body
    assert second.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "error", [Overloaded("full"), UpstreamFailed("broke"), UpstreamUnavailable("away"), RuntimeError("unforeseen")]
)
async def test_what_failed_on_our_side_may_be_tried_again_at_once(keys: FakeKeys, error: Exception) -> None:
    with pytest.raises(type(error)):
        await _once(keys, Work(error))
    assert (await _once(keys, Work())).status_code == 201


async def test_a_client_that_leaves_frees_its_key(keys: FakeKeys) -> None:
    with pytest.raises(asyncio.CancelledError):
        await _once(keys, Work(asyncio.CancelledError()))
    assert keys.claims == {}


async def test_an_answer_that_cannot_be_kept_is_given_all_the_same(keys: FakeKeys) -> None:
    keys.error = UpstreamUnavailable("storage cannot be reached")
    assert (await _once(keys, Work())).status_code == 201


async def test_what_storage_could_not_be_told_is_told_when_it_is_back(
    keys: FakeKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency_module, "TELL_AGAIN_S", 0.001)
    idempotency = Idempotency(keys, keep_s=3600)
    keys.error = UpstreamUnavailable("storage cannot be reached")
    with pytest.raises(Overloaded):
        await idempotency.once(Work(Overloaded("full")), key="k", request="0" * 64, deadline=Deadline.after(10))
    assert keys.claims
    await asyncio.sleep(0.01)
    keys.error = None
    async with asyncio.timeout(10):
        while keys.claims:
            await asyncio.sleep(0.001)


async def test_an_answer_too_long_to_keep_is_given_and_its_key_is_free(keys: FakeKeys) -> None:
    assert (await _once(keys, Work(body="x" * (LONGEST_BODY + 1)))).status_code == 201
    assert keys.claims == {}


@pytest.mark.parametrize(("header", "key"), [("abc", "abc"), ('"abc"', "abc"), ("!~", "!~"), ("k" * 255, "k" * 255)])
async def test_a_key_is_read_with_the_drafts_quotes_and_without(header: str, key: str) -> None:
    assert await read_key(header) == key


@pytest.mark.parametrize("header", ["", " ", "a b", "k" * 256, "\u00e9", "\x7f", "a\tb", '"a b"'])
async def test_what_is_no_key_is_refused(header: str) -> None:
    with pytest.raises(BadRequest):
        await read_key(header)


def test_fingerprints_tell_requests_apart() -> None:
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
    assert fingerprint("a") == fingerprint("a")
    assert len(fingerprint("\udce9")) == 64
