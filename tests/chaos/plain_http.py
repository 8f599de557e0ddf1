"""A client so plain that its own work counts little: hundreds of uploads a second from the machine that is measured."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

BOUNDARY = b"legenda-chaos"
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Answer:
    """What came of one request; status 0 where the connection broke, with the reason in `problem`."""

    status: int
    took_s: float
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    problem: str = ""
    at_s: float = field(default_factory=time.perf_counter)
    """When it was there."""

    @property
    def json(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.body)
        return said

    @property
    def is_accepted(self) -> bool:
        return self.status in {200, 201}


class PlainClient:
    """Keeps connections and uses them again."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def upload(self, image: bytes, *, deadline_ms: int, **headers: str) -> Answer:
        """Post an image under a name that no other has."""
        name = uuid.uuid4().hex.encode()
        head = b'--%b\r\nContent-Disposition: form-data; name="file"; filename="%b.jpg"\r\n' % (BOUNDARY, name)
        body = head + b"Content-Type: image/jpeg\r\n\r\n" + image + b"\r\n--%b--\r\n" % BOUNDARY
        return await self.request(
            "POST",
            "/api/v1/images",
            body,
            {
                "Content-Type": f"multipart/form-data; boundary={BOUNDARY.decode()}",
                "X-Deadline-Ms": str(deadline_ms),
                **headers,
            },
        )

    async def request(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        """Send one request; a kept connection that was closed meanwhile is not our service's failure."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        sent = "\r\n".join([*lines, "", ""]).encode() + body
        started = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE_S):
                reader, writer = await self._connection()
                with suppress(ConnectionError):  # the answer may be there all the same
                    writer.write(sent)
                    await writer.drain()
                status, told, said = await _read(reader)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            return Answer(0, time.perf_counter() - started, problem=repr(error))
        if told.get("connection") == "close":
            writer.close()
        else:
            self._idle.append((reader, writer))
        return Answer(status, time.perf_counter() - started, told, said)

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self._host, self._port)


async def _read(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    told = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    return int(head[0].split()[1]), told, await reader.readexactly(int(told.get("content-length", "0")))
