"""The gateway's door with keys in a real storage-service: who gets in, who may do what, and how much."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from gateway.app import create_app as create_gateway
from gateway.key_client import KeyClient
from gateway.keys import make_key, sha256_of
from gateway.settings import GatewaySettings
from shared.contracts import ImageRecord
from shared.deadline import Deadline
from shared.errors import UpstreamFailed
from shared.http_client import ServiceClient
from shared.key_contracts import NewKey, Scope
from storage_service.app import create_app as create_storage
from storage_service.settings import StorageSettings
from tests.pictures import photo_bytes

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one storage for all tests; each has keys of its own

TOKEN = "an internal token of enough letters".replace(" ", "-")
ADMIN = "first-key-from-a-file-" + "a" * 20
IMAGES = "/api/v1/images"
SESSION = "/api/v1/session"


class Door:
    """A gateway in front of a real storage, and the way to make keys there."""

    def __init__(self, client: httpx.AsyncClient, keys: KeyClient) -> None:
        self.client = client
        self.keys = keys

    async def key(self, scope: Scope = "write", **more: object) -> str:
        key_id, key = make_key()
        new = NewKey.model_validate({"id": key_id, "sha256": sha256_of(key), "name": "a", "scope": scope, **more})
        await self.keys.add(new, deadline=Deadline.after(30))
        return key


def _reach(app: FastAPI, base_url: str = "http://legenda", **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=base_url, headers=headers)


def _nobody() -> httpx.AsyncClient:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away", request=request)

    return httpx.AsyncClient(transport=httpx.MockTransport(away), base_url="http://nobody")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    (folder / "admin").write_text(f"{ADMIN}\n")
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def storage(folder: Path) -> AsyncIterator[FastAPI]:
    app = create_storage(
        StorageSettings(
            database_url=f"sqlite+aiosqlite:///{folder}/legenda.sqlite3",
            store_url=f"file://{folder}/store",
            index_dir=folder / "index",
            internal_token=TOKEN,
        )
    )
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture(scope="module")
def opened(storage: FastAPI, folder: Path) -> Callable[..., object]:
    @asynccontextmanager
    async def opened(base_url: str = "http://legenda", **settings: object) -> AsyncIterator[Door]:
        chosen = {"admin_key_file": str(folder / "admin"), "key_cache_s": 0, "decode_processes": 1, **settings}
        to_storage = _reach(storage, Authorization=f"Bearer {TOKEN}")
        app = create_gateway(
            GatewaySettings(internal_token=TOKEN, **chosen),
            caption_http=_nobody(),
            classify_http=_nobody(),
            storage_http=to_storage,
        )
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(app.router.lifespan_context(app))
            yield Door(
                await stack.enter_async_context(_reach(app, base_url)), KeyClient(ServiceClient("storage", to_storage))
            )

    return opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_door(opened: Callable[..., object]) -> AsyncIterator[Door]:
    async with opened() as door:
        yield door


@pytest.fixture
def door(shared_door: Door) -> Door:
    shared_door.client.cookies.clear()
    return shared_door


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _photo(seed: int = 0) -> dict[str, tuple[str, bytes]]:
    return {"file": ("dog.jpg", photo_bytes(seed))}


async def test_without_a_key_only_page_docs_and_probes_answer(door: Door) -> None:
    for path in ("/", "/docs", "/openapi.json", "/health/live", "/metrics"):
        assert (await door.client.get(path)).status_code == 200, path
    described = (await door.client.get("/openapi.json")).json()["paths"]
    calls = [(method, path) for path, methods in described.items() for method in methods if path.startswith("/api/")]
    assert len(calls) > 15
    for method, path in calls:
        if path == SESSION and method != "get":
            continue
        response = await door.client.request(method, path.replace("{", "").replace("}", ""))
        assert (response.status_code, response.json()["code"]) == (401, "key_missing"), (method, path)
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="legenda"'
        assert "gateway-keys new" in response.json()["detail"]
        assert {"401", "403", "429"} <= set(described[path][method]["responses"])
    for path in ("/api/v1/nothing", "/api/"):
        assert (await door.client.get(path)).status_code == 401


@pytest.mark.parametrize("wrong", ["legenda", "x" * 2_000, "legenda_" + "0" * 12 + "_" + "0" * 64, "ä" * 40, ""])
async def test_what_is_no_key_of_ours_is_refused(door: Door, wrong: str) -> None:
    shown = {"Authorization": f"Bearer {wrong}".encode()}
    response = await door.client.get(IMAGES, headers=shown)
    assert response.status_code == 401
    assert not wrong or wrong not in response.text
    assert not wrong or 'error="invalid_token"' in response.headers["WWW-Authenticate"]


async def test_each_scope_may_do_what_it_says_and_no_more(door: Door) -> None:
    read, write, admin = [await door.key(scope) for scope in ("read", "write", "admin")]
    stored = await door.client.post(IMAGES, files=_photo(), headers=_bearer(write))
    assert stored.is_success
    one = stored.headers["Location"]
    undo = "/api/v1/models/fake/1/results?dry_run=true"
    may: list[tuple[str, str, int]] = []
    for name, key in (("read", read), ("write", write), ("admin", admin), ("file", ADMIN)):
        asked = [
            (await door.client.get(one, headers=_bearer(key))).status_code,
            (await door.client.post(IMAGES, files=_photo(), headers=_bearer(key))).status_code,
            (await door.client.patch(one, json={"label": "dog"}, headers=_bearer(key))).status_code,
            (await door.client.delete(undo, headers=_bearer(key))).status_code,
        ]
        may.append((name, *asked))
    assert may == [
        ("read", 200, 403, 403, 403),
        ("write", 200, 200, 200, 403),
        ("admin", 200, 200, 200, 200),
        ("file", 200, 200, 200, 200),
    ]
    refused = await door.client.delete(one, headers=_bearer(read))
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "scope_missing"
    assert refused.json()["detail"].endswith("may only read; this needs one that may write")


async def test_a_key_that_was_revoked_or_is_over_counts_no_more(door: Door) -> None:
    key = await door.key()
    assert (await door.client.get(IMAGES, headers=_bearer(key))).status_code == 200
    await door.keys.revoke(key.split("_")[1], deadline=Deadline.after(30))
    revoked = await door.client.get(IMAGES, headers=_bearer(key))
    over = await door.client.get(
        IMAGES, headers=_bearer(await door.key(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    )
    assert (revoked.status_code, over.status_code) == (401, 401)
    assert "was revoked" in revoked.json()["detail"]
    assert "ended on" in over.json()["detail"]


async def test_a_client_that_asks_too_fast_is_told_when_to_come_back_and_others_are_served(
    opened: Callable[..., object],
) -> None:
    async with opened(key_requests_per_s=0.01, key_requests_burst=3) as door:
        fast, other = await door.key(), await door.key()
        answers = [await door.client.get(IMAGES, headers=_bearer(fast)) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers["RateLimit"].split(";t=")[0] for answer in answers] == [
            f'"requests";r={left}' for left in (2, 1, 0, 0)
        ]
        assert answers[0].headers["RateLimit-Policy"].startswith('"requests";q=3;w=300, "at-once"')
        assert answers[3].json()["code"] == "quota_exceeded"
        assert 90 <= int(answers[3].headers["Retry-After"]) <= 100
        assert (await door.client.get(IMAGES, headers=_bearer(other))).status_code == 200


async def test_only_so_many_requests_of_one_key_are_under_way(opened: Callable[..., object]) -> None:
    async with opened(key_requests_at_once=2) as door:
        key = await door.key()
        answers = await asyncio.gather(*(door.client.get(IMAGES, headers=_bearer(key)) for _ in range(6)))
        assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429, 429, 429]
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert (refused.headers["Retry-After"], refused.headers["RateLimit"]) == ("1", '"at-once";r=0')
        assert (await door.client.get(IMAGES, headers=_bearer(key))).status_code == 200


async def test_the_bytes_of_a_day_are_counted_with_and_without_a_length(opened: Callable[..., object]) -> None:
    form = httpx.Request("POST", "http://a", files=_photo())
    body, headers = form.read(), {"Content-Type": form.headers["Content-Type"]}

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    async with opened(key_upload_bytes_a_day=2 * len(body) + 10) as door:
        key = await door.key()
        headers |= _bearer(key)
        other = {**headers, **_bearer(await door.key())}
        assert (await door.client.post(IMAGES, content=body, headers=headers)).is_success
        assert (await door.client.post(IMAGES, content=pieces(), headers=headers)).is_success
        for content in (body, pieces()):
            full = await door.client.post(IMAGES, content=content, headers=headers)
            assert (full.status_code, full.json()["code"]) == (429, "quota_exceeded"), full.text
            assert 0 < int(full.headers["Retry-After"]) <= 86_401
            assert f'"uploads";q={2 * len(body) + 10};qu="content-bytes"' in full.headers["RateLimit-Policy"]
        assert (await door.client.get(IMAGES, headers=_bearer(key))).status_code == 200
        assert (await door.client.post(IMAGES, content=body, headers=other)).status_code == 200


async def test_bytes_that_never_came_are_given_back(opened: Callable[..., object]) -> None:
    async with opened(key_upload_bytes_a_day=100_000) as door:
        key = await door.key()
        wrong = {**_bearer(key), "Content-Type": "multipart/form-data; boundary=b", "Content-Length": "90000"}
        for _ in range(3):
            refused = await door.client.post(IMAGES, content=b"--b--\r\n", headers=wrong)
            assert refused.status_code == 400
        assert (await door.client.post(IMAGES, files=_photo(), headers=_bearer(key))).is_success


async def test_the_page_logs_in_with_a_cookie_that_no_script_and_no_other_site_can_use(door: Door) -> None:
    key = await door.key("read")
    own = {"Sec-Fetch-Site": "same-origin"}
    assert (await door.client.get(SESSION)).status_code == 401
    wrong = await door.client.post(SESSION, json={"key": key[:-1] + "g"}, headers=own)
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)

    logged_in = await door.client.post(SESSION, json={"key": f" {key}\n"}, headers=own)
    assert logged_in.json() == {"asks_for_key": True, "name": "a", "scope": "read"}
    cookie = logged_in.headers["set-cookie"]
    assert cookie.startswith(f"legenda_key={key}; ")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert (await door.client.get(SESSION)).json()["scope"] == "read"
    assert (await door.client.get(IMAGES)).status_code == 200

    logged_out = await door.client.delete(SESSION, headers=own)
    assert (logged_out.status_code, "Max-Age=0" in logged_out.headers["set-cookie"]) == (204, True)
    assert (await door.client.get(IMAGES)).status_code == 401


async def test_over_https_the_cookie_is_secure_and_ends_with_its_key(opened: Callable[..., object]) -> None:
    async with opened("https://legenda") as door:
        key = await door.key(expires_at=datetime.now(UTC) + timedelta(hours=1))
        cookie = (await door.client.post(SESSION, json={"key": key})).headers["set-cookie"]
        assert cookie.startswith("__Host-legenda_key=")
        assert "Secure" in cookie
        assert 3500 < int(re.findall(r"Max-Age=(\d+)", cookie)[0]) <= 3600
        assert (await door.client.get(SESSION)).status_code == 200


FROM_ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://legenda"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {},
]


@pytest.mark.parametrize("headers", FROM_ELSEWHERE)
async def test_with_a_cookie_nothing_is_changed_from_elsewhere(door: Door, headers: dict[str, str]) -> None:
    await door.client.post(SESSION, json={"key": ADMIN})
    refused = await door.client.post(IMAGES, files=_photo(), headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "cross_site")
    for own in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://legenda"}):
        assert (await door.client.post(IMAGES, files=_photo(), headers=own)).is_success
    shown = {**headers, **_bearer(ADMIN)}
    expected = 200 if not headers else 403
    assert (await door.client.post(IMAGES, files=_photo(), headers=shown)).status_code == expected


async def test_also_without_keys_no_other_sites_page_changes_anything(opened: Callable[..., object]) -> None:
    async with opened(admin_key_file="") as door:
        assert (await door.client.get(SESSION)).json() == {"asks_for_key": False, "name": "", "scope": "admin"}
        for headers in FROM_ELSEWHERE[:-1]:
            refused = await door.client.post(IMAGES, files=_photo(), headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (403, "cross_site")
        stored = await door.client.post(IMAGES, files=_photo())
        assert stored.is_success
        ImageRecord.model_validate_json(stored.content)
        assert "RateLimit" not in stored.headers


async def test_cors_is_closed_unless_an_origin_is_named(opened: Callable[..., object]) -> None:
    asking = {"Origin": "https://photos.example", "Access-Control-Request-Method": "POST"}
    async with opened() as door:
        for method in ("GET", "OPTIONS"):
            answer = await door.client.request(method, IMAGES, headers={**asking, **_bearer(ADMIN)})
            assert not [name for name in answer.headers if name.startswith("access-control")]
    async with opened(cors_origins="https://photos.example, https://other.example") as door:
        preflight = await door.client.options(
            IMAGES, headers={**asking, "Access-Control-Request-Headers": "authorization"}
        )
        assert preflight.headers["Access-Control-Allow-Origin"] == "https://photos.example"
        posted = await door.client.post(
            IMAGES, files=_photo(), headers={**asking, **_bearer(ADMIN), "Sec-Fetch-Site": "cross-site"}
        )
        assert posted.is_success
        assert "Retry-After" in posted.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in posted.headers
        refused = await door.client.get(IMAGES, headers={"Origin": "https://evil.example", **_bearer(ADMIN)})
        assert "Access-Control-Allow-Origin" not in refused.headers


async def test_storage_answers_nobody_but_the_gateway(storage: FastAPI) -> None:
    async with _reach(storage) as stranger:
        assert (await stranger.get("/v1/images")).status_code == 401
        assert (await stranger.get("/v1/keys")).status_code == 401
        with pytest.raises(UpstreamFailed, match="LEGENDA_INTERNAL_TOKEN"):
            await KeyClient(ServiceClient("storage", stranger)).all(deadline=Deadline.after(10))


async def test_an_idempotency_key_is_its_owners_alone(door: Door) -> None:
    for seed in (71, 72):  # were the key common to all, the second would be another request under the first's
        shown = _bearer(await door.key()) | {"Idempotency-Key": "the-same-for-both"}
        kept = await door.client.post("/api/v1/images", files=_photo(seed), headers=shown)
        assert kept.status_code == 201, kept.text
        assert "Idempotency-Replayed" not in kept.headers
