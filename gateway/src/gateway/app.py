"""Build the gateway: the one place where its parts meet."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from gateway import __version__
from gateway.access import Keys
from gateway.client_limits import ClientLimits
from gateway.clients import CaptionClient, ClassifyClient, StorageClient
from gateway.completion import Completion, CompletionLimits, CompletionMetrics
from gateway.decoding_process import DecodingLimits
from gateway.doors import describe_access, doors
from gateway.export_routes import export_routes
from gateway.hygiene import Hygiene
from gateway.key_client import KeyClient
from gateway.key_ring import KeyRing
from gateway.page import Page
from gateway.routes import public_routes
from gateway.security_headers import SecurityHeaders
from gateway.session_routes import session_routes
from gateway.settings import GatewaySettings
from gateway.status import StatusTeller, status_routes
from gateway.upload_quota import UploadQuota
from gateway.uploads import UploadLimits, Uploads
from gateway.upstreams import Upstreams
from gateway.work_client import WorkClient
from gateway.work_routes import work_routes
from shared.app import StartupError, create_service
from shared.contracts import Health
from shared.http_client import open_http

NAME = "gateway"


def create_app(
    settings: GatewaySettings,
    *,
    caption_http: httpx.AsyncClient | None = None,
    classify_http: httpx.AsyncClient | None = None,
    storage_http: httpx.AsyncClient | None = None,
) -> FastAPI:
    """Return the gateway.

    Args:
        settings: Where the other services answer, and how much is taken.
        caption_http: Reaches caption-service in place of its URL, as tests do; likewise the two others.
        classify_http: See `caption_http`.
        storage_http: See `caption_http`.
    """
    connections = settings.uploads_at_once + 2 * settings.completion_at_once
    pools = [
        caption_http or open_http(settings.caption_url, connections=connections, token=settings.shown_token),
        classify_http or open_http(settings.classify_url, connections=connections, token=settings.shown_token),
        storage_http or open_http(settings.storage_url, connections=connections, token=settings.shown_token),
    ]
    caption, classify, storage = CaptionClient(pools[0]), ClassifyClient(pools[1]), StorageClient(pools[2])
    upstreams = Upstreams([caption.service, classify.service, storage.service])
    hygiene = Hygiene(
        processes=settings.decode_processes,
        waiting=settings.decode_waiting,
        limits=DecodingLimits(
            pixel_limit=settings.pixel_limit,
            memory_bytes=settings.decode_memory_bytes,
            timeout_s=settings.decode_timeout_s,
        ),
    )
    uploads = Uploads(
        captions=caption,
        labels=classify,
        images=storage,
        hygiene=hygiene,
        limits=UploadLimits(
            model_timeout_s=settings.model_timeout_s,
            uploads_at_once=settings.uploads_at_once,
        ),
    )

    work = WorkClient(pools[2])
    registry = CollectorRegistry()
    completion = Completion(
        captions=caption,
        labels=classify,
        work=work,
        uploads=uploads,
        is_ready=upstreams.is_ready,
        limits=CompletionLimits(at_once=settings.completion_at_once, model_timeout_s=settings.model_timeout_s),
        metrics=CompletionMetrics(registry),
    )

    keys = KeyClient(pools[2])
    ring = KeyRing(keys, admin_key=settings.admin_key, remembered_s=settings.key_cache_s)
    limits = ClientLimits(
        per_s=settings.key_requests_per_s, burst=settings.key_requests_burst, at_once=settings.key_requests_at_once
    )
    quota = UploadQuota(keys, limit_bytes=settings.key_upload_bytes_a_day)
    asked = Keys(ring, limits, quota) if settings.asks_for_keys else None

    def readiness() -> Health:
        return upstreams.health(service=NAME, version=__version__)

    teller = StatusTeller(upstreams, readiness, models=[caption.service, classify.service], storage=storage.service)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if settings.unguarded:
            raise StartupError(settings.unguarded)
        if not (settings.web / "index.html").is_file():
            raise StartupError(f"GATEWAY_WEB names {settings.web}, which has no index.html")
        async with AsyncExitStack() as stack:
            for pool in pools:
                await stack.enter_async_context(pool)
            stack.push_async_callback(asyncio.to_thread, hygiene.close)
            await hygiene.start()
            watching = asyncio.create_task(upstreams.watch())
            try:
                async with completion.running():
                    yield
            finally:
                watching.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watching

    app = create_service(
        NAME,
        version=__version__,
        description="Captions and sorts a person's images.",
        readiness=readiness,
        lifespan=lifespan,
        registry=registry,
        doors=doors(asked, settings.allowed_origins),
    )
    app.include_router(
        public_routes(
            uploads,
            caption,
            classify,
            storage,
            upload_limit_bytes=settings.upload_limit_bytes,
            longest_deadline_s=settings.upload_deadline_s,
        )
    )
    app.include_router(work_routes(work, longest_deadline_s=settings.upload_deadline_s))
    app.include_router(export_routes(storage, stall_timeout_s=settings.stall_timeout_s))
    app.include_router(session_routes(asked.ring if asked else None))
    app.include_router(status_routes(teller))
    describe_access(app)
    app.add_middleware(SecurityHeaders)
    app.mount("/", Page(settings.web))
    return app
