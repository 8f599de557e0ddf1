"""Answer with a body that may take long as a whole, though no step of it may.

A body that breaks off must not look whole: after a failure the last piece is never sent, so that the server closes the
connection in the middle of the body and every client notices.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from starlette.responses import StreamingResponse
from starlette.types import Message, Send

from shared.errors import ServiceError

log = logging.getLogger(__name__)


class ClientStalled(ServiceError):
    """The client has not read for too long; there is nobody to tell."""

    code = "client_stalled"
    title = "Client stalled"
    status = 408


class LongStream(StreamingResponse):
    """A response of chunks; failures before the first one are answered like those of any other route.

    When the client goes away or stops reading, the chunks' generator is closed.
    """

    def __init__(
        self,
        chunks: AsyncGenerator[bytes],
        *,
        stall_timeout_s: float,
        media_type: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(chunks, media_type=media_type, headers=headers)
        self._chunks = chunks
        self._stall_timeout_s = stall_timeout_s

    async def stream_response(self, send: Send) -> None:
        """Send everything; called by Starlette, which cancels it when the client goes away."""
        async with aclosing(self._chunks) as chunks:
            first = await anext(chunks, b"")
            try:
                await self._send(
                    send, {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
                )
                await self._send(send, _piece(first))
                async for chunk in chunks:
                    await self._send(send, _piece(chunk))
                await self._send(send, {"type": "http.response.body", "body": b"", "more_body": False})
            except ServiceError as error:
                log.error("stream_broken_off", extra={"code": error.code, "reason": error.detail})

    async def _send(self, send: Send, message: Message) -> None:
        try:
            async with asyncio.timeout(self._stall_timeout_s):
                await send(message)
        except TimeoutError as error:
            raise ClientStalled(f"the client has read nothing for {self._stall_timeout_s:g} s") from error


def _piece(chunk: bytes) -> Message:
    return {"type": "http.response.body", "body": chunk, "more_body": True}
