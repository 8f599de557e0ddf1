"""Serve the page: the files of `web/`, with headers that let nothing else in."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from gateway.page_files import PageFile, PageFiles
from gateway.security_headers import PAGE

PAGE_HEADERS = {"Content-Security-Policy": PAGE, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
ADDRESSES = {"": "index.html", "status": "status.html"}
"""Those that a person can remember."""
METHODS = ("GET", "HEAD")


class Page:
    """The files of `web/` as an ASGI app; a browser asks each time whether one has changed."""

    def __init__(self, folder: Path) -> None:
        self._files = PageFiles(folder)  # the lifespan checks the folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one file."""
        if scope["type"] != "http":
            await WebSocketClose()(scope, receive, send)
            return
        if scope["method"] not in METHODS:
            raise HTTPException(405, headers={"Allow": ", ".join(METHODS)})
        path = scope["path"].removeprefix(scope.get("root_path", "")).removeprefix("/")
        file = await self._files.find(ADDRESSES.get(path, path))
        if file is None:
            raise HTTPException(404)
        await _answer(Request(scope), file)(scope, receive, send)


def _answer(request: Request, file: PageFile) -> Response:
    headers = PAGE_HEADERS | {"ETag": file.etag}
    if file.etag in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    content = file.content
    if file.compressed and "gzip" in request.headers.get("Accept-Encoding", ""):
        content = file.compressed
        headers |= {"Content-Encoding": "gzip"}
    return Response(content, media_type=file.media_type, headers=headers)
