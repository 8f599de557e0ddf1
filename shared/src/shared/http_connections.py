"""Connections to one of our services, kept by aiohttp, whose parser is written in C; httpx asks through them.

A small call takes a third of the processor's time that it takes through httpx's own client and transport, and an upload
makes four. Three of those carry bytes or nothing, and need not even become requests of httpx.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from shared import tracing

CONNECT_TIMEOUT_S = 2.0
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
        self._kept: aiohttp.ClientSession | None = None

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

    async def ask(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> httpx.Response:
        """Send a request that is whole, and return the whole response, past what httpx makes of both.

        Raises:
            httpx.TransportError: see `handle_async_request`.
        """
        timeout = aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT_S)
        asking = self._session().request(
            method, url, headers=headers, data=content, allow_redirects=False, timeout=timeout
        )
        try:
            async with asking as answer:
                body = await answer.read()
        except aiohttp.ClientError as error:
            raise httpx.TransportError(str(error)) from error
        return httpx.Response(answer.status, headers=answer.raw_headers, content=body)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._kept is not None:
            await self._kept.close()

    def _session(self) -> aiohttp.ClientSession:
        if self._kept is None:
            self._kept = self._open_session()
        return self._kept

    def _open_session(self) -> aiohttp.ClientSession:
        keeping = {"force_close": True} if self._idle_s is None else {"keepalive_timeout": self._idle_s}
        connector = aiohttp.TCPConnector(limit=self._at_once, **keeping)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


class PlainClient(httpx.AsyncClient):
    """A client without cookies, redirects and authentication: services of ours need none, and they cost a fourth."""

    def __init__(self, connections: Connections, **options: Any) -> None:
        super().__init__(transport=connections, **options)
        self._connections = connections

    def can_ask(self, request: Mapping[str, Any]) -> bool:
        """Say whether `ask` takes a request: one of bytes or nothing, where no span of it is wanted."""
        return request.keys() <= {"content", "headers", "params"} and not tracing.has_spans()

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """Send a request and return the whole response; `send` takes longer, and an upload asks three times."""
        query = f"?{httpx.QueryParams(params)}" if params else ""
        return await self._connections.ask(method, url + query, headers, content)

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
