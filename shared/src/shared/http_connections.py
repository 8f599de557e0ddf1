"""Connections to one of our services, kept by aiohttp, whose parser is written in C; httpx asks through them.

A small call takes a third of the processor's time that it takes through httpx's own client and transport, and an upload
makes four.
"""

from __future__ import annotations

import ssl
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from shared import tracing

SENT_WHOLE_BYTES = 256 * 1024
"""A form up to this size is sent in one piece; a larger one is never in memory a second time."""


class Connections(httpx.AsyncBaseTransport):
    """At most so many at once; opened at the first request, within the event loop and as traced as the service is."""

    def __init__(self, *, at_once: int, idle_s: float | None) -> None:
        """Open nothing yet.

        Args:
            at_once: Most connections.
            idle_s: How long one is kept for the next request; None: each request makes its own.
        """
        self._at_once, self._idle_s = at_once, idle_s
        self._opened: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; called by httpx.

        Raises:
            httpx.TransportError: the service cannot be reached, or the connection broke.
        """
        if self._opened is None:
            unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # spares it reading certificates: the session has its own
            self._opened = tracing.traced(AiohttpTransport(client=self._session, verify=unused))
        if int(request.headers.get("content-length", SENT_WHOLE_BYTES + 1)) <= SENT_WHOLE_BYTES:
            await request.aread()
        try:
            return await self._opened.handle_async_request(request)
        except httpx.ConnectTimeout as error:  # so it names every connection that broke
            raise httpx.ConnectError(str(error)) from error
        except aiohttp.ClientError as error:  # what came back was no HTTP
            raise httpx.RemoteProtocolError(str(error)) from error

    async def aclose(self) -> None:
        """Close all connections."""
        if self._opened is not None:
            await self._opened.aclose()

    def _session(self) -> aiohttp.ClientSession:
        keeping = {"force_close": True} if self._idle_s is None else {"keepalive_timeout": self._idle_s}
        connector = aiohttp.TCPConnector(limit=self._at_once, **keeping)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


class PlainClient(httpx.AsyncClient):
    """A client without cookies, redirects and authentication: services of ours need none, and they cost a fourth."""

    def __init__(self, connections: Connections, **options: Any) -> None:
        super().__init__(transport=connections, **options)
        self._connections = connections

    async def send(self, request: httpx.Request, *, stream: bool = False, **_: Any) -> httpx.Response:
        """Send a request; return the whole response, or with `stream` its head, which whoever calls closes."""
        response = await self._connections.handle_async_request(request)
        if not stream:
            try:
                await response.aread()
            except BaseException:  # also when its time is over: the connection must not stay taken
                await response.aclose()
                raise
        return response
