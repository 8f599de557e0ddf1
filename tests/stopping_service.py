"""A service of slow answers, run as a process by tests that stop it: `python -m tests.stopping_service`."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.responses import Response, StreamingResponse

from shared.app import create_service, serve
from shared.contracts import Health
from shared.errors import Overloaded
from shared.long_stream import LongStream
from shared.settings import ServiceSettings, service_config


class StoppingSettings(ServiceSettings):
    model_config = service_config("STOPPING_")

    port: int = 8099


async def _events() -> AsyncGenerator[bytes]:
    yield b"data: hello\n\n"
    await asyncio.sleep(3600)


async def _pieces() -> AsyncGenerator[bytes]:
    while True:
        yield b"x" * 1000
        await asyncio.sleep(0.01)


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield
    time.sleep(float(os.environ.get("CLOSING_S", "0")))  # noqa: ASYNC251  # as work that holds a thread does


def create_app() -> FastAPI:
    app = create_service(
        "stopping",
        version="1",
        description="Answers slowly.",
        readiness=lambda: Health(status="ready", service="stopping", version="1"),
        lifespan=_lifespan,
        registry=CollectorRegistry(),
    )

    @app.get("/slow/{seconds}")
    async def slow(seconds: float) -> Response:
        await asyncio.sleep(seconds)
        return Response(b"done")

    @app.post("/refused")
    async def refused() -> Response:
        raise Overloaded("full")

    @app.get("/events")
    async def events() -> StreamingResponse:
        return StreamingResponse(_events(), media_type="text/event-stream")

    @app.get("/download")
    async def download() -> LongStream:
        return LongStream(_pieces(), stall_timeout_s=60, media_type="application/zip")

    return app


if __name__ == "__main__":
    serve("stopping", create_app(), StoppingSettings())
