"""Build the gateway: the one place where its parts meet."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.middleware import Middleware

from gateway import __version__
from gateway.batch_client import BatchClient
from gateway.batch_events import BatchEvents
from gateway.batch_limits import BatchLimits
from gateway.batch_receiving import BatchReceiving
from gateway.batch_reception import FILES_AT_ONCE
from gateway.batch_routes import batch_routes, linked
from gateway.breakers import Breaker, BreakerLimits, UpstreamMetrics
from gateway.clients import CaptionClient, ClassifyClient, StorageClient
from gateway.completion import Completion, CompletionLimits, CompletionMetrics
from gateway.decoding_process import DecodingLimits
from gateway.export_routes import export_routes
from gateway.guarded_client import GuardedClient
from gateway.hygiene import Hygiene
from gateway.idempotency import Idempotency, KeyClient
from gateway.page import Page
from gateway.request_limit import RequestLimit
from gateway.retrying import Retrying
from gateway.routes import public_routes
from gateway.security_headers import SecurityHeaders
from gateway.settings import GatewaySettings
from gateway.upload_routes import upload_routes
from gateway.uploads import UploadLimits, Uploads
from gateway.upstreams import Upstreams
from gateway.work_client import WorkClient
from gateway.work_routes import work_routes
from shared.app import StartupError, create_service
from shared.contracts import Health
from shared.http_client import ServiceClient, open_http
from shared.priority import BACKGROUND

NAME = "gateway"
BEHIND = ("caption", "classify", "storage")


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
    storage_connections = connections + (FILES_AT_ONCE + 1) * settings.batches_at_once + settings.event_streams
    pools = [
        caption_http or open_http(settings.caption_url, connections=connections),
        classify_http or open_http(settings.classify_url, connections=connections),
        storage_http or open_http(settings.storage_url, connections=storage_connections),
    ]
    registry = CollectorRegistry()
    # Health is asked past breakers and retries: it is how a service that is back is found.
    upstreams = Upstreams([ServiceClient(name, pool) for name, pool in zip(BEHIND, pools, strict=True)])
    metrics = UpstreamMetrics(registry)
    breaking = BreakerLimits(failures=settings.breaker_failures, pause_s=settings.breaker_pause_s)
    breakers = {name: Breaker(name, breaking, metrics) for name in BEHIND}
    behind = {
        name: GuardedClient(
            name, pool, breaker=breakers[name], retrying=Retrying(count=metrics.repeated.labels(name).inc)
        )
        for name, pool in zip(BEHIND, pools, strict=True)
    }
    caption, classify = CaptionClient(behind["caption"]), ClassifyClient(behind["classify"])
    storage, work = StorageClient(behind["storage"]), WorkClient(behind["storage"])
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
        require_storage=breakers["storage"].require_admitting,
    )
    completion = Completion(
        captions=CaptionClient(behind["caption"], headers=BACKGROUND),
        labels=ClassifyClient(behind["classify"], headers=BACKGROUND),
        work=work,
        uploads=uploads,
        is_ready=lambda name: upstreams.is_ready(name) and breakers[name].is_admitting(),
        limits=CompletionLimits(at_once=settings.completion_at_once, model_timeout_s=settings.model_timeout_s),
        metrics=CompletionMetrics(registry),
    )
    batches = BatchClient(behind["storage"])
    receiving = BatchReceiving(
        batches=batches,
        uploads=uploads,
        limits=BatchLimits(
            batches_at_once=settings.batches_at_once,
            files=settings.batch_files_limit,
            image_bytes=settings.upload_limit_bytes,
            zip_bytes=settings.zip_limit_bytes,
            unpacked_bytes=settings.zip_unpacked_limit_bytes,
            zip_ratio=settings.zip_ratio_limit,
            file_timeout_s=settings.upload_deadline_s,
        ),
    )
    events = BatchEvents(batches, at_once=settings.event_streams, linked=linked)

    def readiness() -> Health:
        return upstreams.health(service=NAME, version=__version__)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
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
        load=lambda: uploads.places_taken,
    )
    # The innermost of all, so that what it refuses has a request id, and is counted.
    app.user_middleware.append(Middleware(RequestLimit, at_once=settings.requests_at_once))
    app.include_router(
        upload_routes(
            uploads,
            Idempotency(KeyClient(behind["storage"]), keep_s=settings.idempotency_keep_s),
            upload_limit_bytes=settings.upload_limit_bytes,
            longest_deadline_s=settings.upload_deadline_s,
        )
    )
    app.include_router(public_routes(caption, classify, storage, longest_deadline_s=settings.upload_deadline_s))
    app.include_router(work_routes(work, longest_deadline_s=settings.upload_deadline_s))
    app.include_router(
        batch_routes(
            receiving,
            batches,
            events,
            longest_deadline_s=settings.upload_deadline_s,
            stall_timeout_s=settings.stall_timeout_s,
        )
    )
    app.include_router(export_routes(storage, stall_timeout_s=settings.stall_timeout_s))
    app.add_middleware(SecurityHeaders)
    app.mount("/", Page(settings.web))
    return app
