"""The page's files as a browser gets them."""

from __future__ import annotations

import gzip
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from gateway import page_files
from gateway.page import Page

SCRIPT = b"export const words = 'ten words that are said again and again';\n" * 20


@pytest.fixture
def web(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("outside")
    folder = tmp_path / "web"
    (folder / "messages").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><p>Legenda")
    (folder / "status.html").write_text("<!doctype html><p>Status")
    (folder / "messages/en.js").write_bytes(SCRIPT)
    (folder / "one.png").write_bytes(b"\x89PNG" * 100)
    return folder


@pytest.fixture
async def browser(web: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[Mount("/", Page(web))])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://legenda", headers={"Accept-Encoding": ""}) as it:
        yield it


async def test_files_come_under_their_names_and_two_under_an_address(browser: httpx.AsyncClient) -> None:
    assert "Legenda" in (await browser.get("/")).text
    assert "Status" in (await browser.get("/status")).text
    script = await browser.get("/messages/en.js")
    assert (script.content, script.headers["Content-Type"]) == (SCRIPT, "text/javascript; charset=utf-8")
    assert "Content-Encoding" not in script.headers
    assert "default-src 'self'" in script.headers["Content-Security-Policy"]


async def test_a_browser_that_has_a_file_is_told_so(browser: httpx.AsyncClient) -> None:
    first = await browser.get("/messages/en.js")
    again = await browser.get("/messages/en.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])


async def test_what_shrinks_is_compressed_for_who_can_read_it(browser: httpx.AsyncClient) -> None:
    async with browser.stream("GET", "/messages/en.js", headers={"Accept-Encoding": "br, gzip"}) as answer:
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    assert (answer.headers["Content-Encoding"], answer.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(raw) == SCRIPT
    picture = await browser.get("/one.png", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in picture.headers


@pytest.mark.parametrize("path", ["/none.js", "/messages", "/../secret.txt", "/..%2fsecret.txt"])
async def test_nothing_else_is_there(browser: httpx.AsyncClient, path: str) -> None:
    url = httpx.URL("http://legenda").copy_with(raw_path=path.encode())
    assert (await browser.get(url)).status_code == 404


async def test_it_is_only_read(browser: httpx.AsyncClient) -> None:
    refused = await browser.post("/index.html")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
    head = await browser.head("/index.html")
    assert int(head.headers["Content-Length"]) > 0


async def test_a_changed_file_is_seen(browser: httpx.AsyncClient, web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_files, "LOOK_AGAIN_S", -1.0)
    before = await browser.get("/")
    (web / "index.html").write_text("<!doctype html><p>Anew")
    os.utime(web / "index.html", ns=(1, 1))
    after = await browser.get("/", headers={"If-None-Match": before.headers["ETag"]})
    assert (after.status_code, after.text) == (200, "<!doctype html><p>Anew")
