"""Odd and hostile files and names through the real services with their real models, at each service's own door."""

from __future__ import annotations

import functools
import hashlib
import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from shared.contracts import NewImage
from tests.live_platform import Platform
from tests.odd_files import NAMES, ODD, Twins, refusals
from tests.pictures import encoded

REFUSED = refusals()
WORTH_ASKING_THE_MODELS = [
    "animated GIF",
    "CMYK JPEG",
    "16-bit grey PNG",
    "palette PNG with a transparent colour",
    "JPEG turned by EXIF",
    "TIFF of two pages",
    "MPO",
]
"""Of all odd files; `unit/test_odd_files.py` compares the pixels of each."""

CHANGES_A_LITTLE = ("HEIC", "AVIF", "animated AVIF", "TIFF in Lab")
"""Codecs that lose and colours that are converted move a pixel by a level or two, and words near a threshold."""


@pytest.fixture
def client(platform: Platform) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=platform.url, timeout=60, trust_env=False) as client:
        yield client


@functools.cache
def _twins(name: str, photo: Path) -> Twins:
    with Image.open(photo) as opened:
        small = opened.convert("RGB")
    small.thumbnail((300, 300))
    return ODD[name](small)


def _traces(platform: Platform) -> tuple[list[tuple[str, int]], set[str]]:
    """Return how many rows each table has, and every file of the store, unfinished ones, too."""
    with sqlite3.connect(platform.folder / "legenda.sqlite3") as database:
        rows = [
            (table, database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in ("images", "analyses")
        ]
    database.close()
    return rows, {str(file) for file in platform.store.rglob("*") if file.is_file()}


def _form(name: str, file: bytes) -> tuple[bytes, dict[str, str]]:
    """Write the body by hand: a client library would escape what a hostile one sends."""
    head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    return head + file + b"\r\n--edge--\r\n", {"Content-Type": "multipart/form-data; boundary=edge"}


def _upload(client: httpx.Client, file: bytes, name: str = "odd.jpg") -> httpx.Response:
    return client.post("/api/v1/images", files={"file": (name, file)})


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_kept_with_the_words_that_the_plain_one_gets(
    client: httpx.Client, platform: Platform, photo: Path, name: str
) -> None:
    twins = _twins(name, photo)
    plain = client.post("/api/v1/analyses", files={"file": ("plain.png", twins.plain)}).json()
    before = _traces(platform)
    response = _upload(client, twins.odd)
    record = response.json()
    assert response.status_code == 201, record
    try:
        assert record["status"] == "complete"
        assert record["labels"][0]["value"] == plain["labels"][0]["value"]
        if not name.startswith(CHANGES_A_LITTLE):
            assert record["label"]["value"] == plain["label"]["value"]
            assert record["caption"]["value"] == plain["caption"]["value"]
        assert len(record["caption"]["value"].split()) >= 4
        assert record["media_type"] == twins.media_type
        assert client.get(f"{response.headers['Location']}/content").content == twins.odd
    finally:
        client.delete(response.headers["Location"]).raise_for_status()
    assert _traces(platform) == before


@pytest.mark.parametrize("name", WORTH_ASKING_THE_MODELS)
def test_each_model_service_itself_says_the_same_of_both(platform: Platform, photo: Path, name: str) -> None:
    twins = _twins(name, photo)
    odd, plain = (_said(platform, file) for file in (twins.odd, twins.plain))
    assert odd == plain


def _said(platform: Platform, file: bytes) -> tuple[str, str]:
    caption = httpx.post(f"{platform.service_urls['caption']}/v1/captions", content=file, timeout=60)
    label = httpx.post(f"{platform.service_urls['classify']}/v1/classifications", content=file, timeout=60)
    return caption.json()["captions"][0]["value"], label.json()["label"]


@pytest.mark.parametrize("path", ["images", "analyses"])
@pytest.mark.parametrize("name", REFUSED)
def test_the_gateway_refuses_a_hostile_file_and_nothing_stays(
    client: httpx.Client, platform: Platform, name: str, path: str
) -> None:
    refusal = REFUSED[name]
    before = _traces(platform)
    response = client.post(f"/api/v1/{path}", files={"file": ("photo.jpg", refusal.file, "image/jpeg")})
    problem = response.json()
    assert (response.status_code, problem["code"]) == (refusal.status, refusal.code)
    assert refusal.says in problem["detail"]
    assert _traces(platform) == before


@pytest.mark.parametrize("name", REFUSED)
def test_the_model_services_refuse_it_with_the_same_words(platform: Platform, name: str) -> None:
    refusal = REFUSED[name]
    calls = {"caption": "/v1/captions", "classify": "/v1/classifications"}
    problems = [
        httpx.post(f"{platform.service_urls[service]}{path}", content=refusal.file, timeout=60).json()
        for service, path in calls.items()
    ]
    assert problems[0]["detail"] == problems[1]["detail"]
    for problem in problems:
        assert (problem["status"], problem["code"]) == (refusal.status, refusal.code)
        assert refusal.says in problem["detail"]


def test_a_single_pixel_is_an_image_everywhere(client: httpx.Client, platform: Platform) -> None:
    pixel = encoded(Image.new("RGB", (1, 1), (7, 7, 7)), "PNG")
    caption, label = _said(platform, pixel)
    assert caption
    assert label
    response = _upload(client, pixel, "pixel.png")
    assert (response.status_code, response.json()["width"], response.json()["height"]) == (201, 1, 1)
    client.delete(response.headers["Location"]).raise_for_status()


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_hostile_name_is_kept_as_text_and_never_leaves_the_store(
    client: httpx.Client, platform: Platform, name: str
) -> None:
    before = _traces(platform)
    file = encoded(Image.new("RGB", (40, 30), (len(name) % 256, 90, NAMES.index(name))), "PNG")
    body, headers = _form(name, file)
    response = client.post("/api/v1/images", content=body, headers=headers)
    if response.is_success:
        record = response.json()
        new_files = _traces(platform)[1] - before[1]
        assert len(new_files) == 2
        assert all(record["id"] in Path(place).name for place in new_files)
        assert 1 <= len(record["filename"]) <= 255
        assert not {"\x00", "\n"} & set(record["filename"])
        found = client.get("/api/v1/images", params={"limit": 200}).json()["items"]
        assert record["filename"] in {item["filename"] for item in found}
        client.delete(response.headers["Location"]).raise_for_status()
    else:
        assert "\x00" in name
        assert (response.status_code, response.json()["code"]) == (400, "bad_request")
    assert _traces(platform) == before


@pytest.mark.parametrize("charset", ["undefined", "punycode", "utf-7", "unicode_escape", "a\x01b", "nonsense"])
def test_no_charset_of_a_form_makes_a_failure_of_ours(client: httpx.Client, platform: Platform, charset: str) -> None:
    before = _traces(platform)
    file = encoded(Image.new("RGB", (30, 20), (1, 2, len(charset))), "PNG")
    body, headers = _form("\\ud800+2AA-.png", file)
    headers["Content-Type"] += f"; charset={charset}"
    response = client.post("/api/v1/images", content=body, headers=headers)
    assert response.status_code in {201, 400}, response.text
    if response.is_success:
        client.delete(response.headers["Location"]).raise_for_status()
    assert _traces(platform) == before


@pytest.mark.parametrize("name", ODD)
def test_storage_gives_back_an_odd_file_as_it_was(platform: Platform, photo: Path, name: str) -> None:
    twins = _twins(name, photo)
    before = _traces(platform)
    with httpx.Client(base_url=platform.service_urls["storage"], timeout=30, trust_env=False) as storage:
        response = storage.post("/v1/images", **_to_store(twins.odd, twins.media_type, sha256=_sha256(twins.odd)))
        assert response.status_code == 201, response.text
        place = f"/v1/images/{response.json()['id']}"
        content = storage.get(f"{place}/content")
        storage.delete(place).raise_for_status()
    assert (content.content, content.headers["content-type"]) == (twins.odd, twins.media_type)
    assert _traces(platform) == before


@pytest.mark.parametrize(
    ("file", "media_type", "sha256", "status", "code"),
    [
        (b"", "image/jpeg", hashlib.sha256(b"").hexdigest(), 422, "invalid_request"),
        (b"<svg/>", "text/html", hashlib.sha256(b"<svg/>").hexdigest(), 415, "unsupported_image"),
        (b"not what it says", "image/jpeg", "0" * 64, 422, "hash_mismatch"),
        (b"no hash", "image/jpeg", "../../etc", 422, "invalid_request"),
    ],
)
def test_storage_refuses_what_is_not_as_its_record_says_and_nothing_stays(  # noqa: PLR0917
    platform: Platform, file: bytes, media_type: str, sha256: str, status: int, code: str
) -> None:
    before = _traces(platform)
    url = f"{platform.service_urls['storage']}/v1/images"
    response = httpx.post(url, timeout=30, **_to_store(file, media_type, sha256=sha256))
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert _traces(platform) == before


def _sha256(file: bytes) -> str:
    return hashlib.sha256(file).hexdigest()


def _to_store(file: bytes, media_type: str, *, sha256: str) -> dict[str, Any]:
    record = NewImage.model_construct(
        filename="odd", sha256=sha256, media_type=media_type, width=3, height=2, classification=None, caption=None
    )
    files = {"original": ("original", io.BytesIO(file)), "preview": ("preview.jpg", b"\xff\xd8 preview")}
    return {"data": {"record": record.model_dump_json()}, "files": files}
