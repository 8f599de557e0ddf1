"""Serve the page: static files, with headers that let nothing else in."""

from __future__ import annotations

from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

from gateway.security_headers import PAGE

PAGE_HEADERS = {"Content-Security-Policy": PAGE, "Cache-Control": "no-cache"}


STATUS_PATH, STATUS_FILE = "/status", "/status.html"


class Page:
    """The files of `web/` as an ASGI app; a browser asks each time whether one has changed."""

    def __init__(self, folder: Path) -> None:
        self._files = StaticFiles(directory=folder, html=True, check_dir=False)  # the lifespan checks it

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one file."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(PAGE_HEADERS)
            await send(message)

        if scope["type"] == "http" and scope["path"].endswith(STATUS_PATH):  # an address that a person can remember
            scope = {**scope, "path": scope["path"].removesuffix(STATUS_PATH) + STATUS_FILE}
        await self._files(scope, receive, send_with_headers)
