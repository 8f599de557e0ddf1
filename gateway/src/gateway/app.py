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
from gateway.access import Keys
from gateway.batch_client import BatchClient
from gateway.batch_events import BatchEvents
from gateway.batch_limits import BatchLimits
from gateway.batch_receiving import BatchReceiving
from gateway.batch_routes import batch_routes, linked
from gateway.behind import open_behind
from gateway.client_limits import ClientLimits
from gateway.clients import CaptionClient, ClassifyClient, StorageClient
from gateway.completion import Completion, CompletionLimits, CompletionMetrics
from gateway.decoding_process import DecodingLimits
from gateway.doors import describe_access, doors
from gateway.export_routes import export_routes
from gateway.hygiene import Hygiene
from gateway.idempotency import Idempotency, RequestKeyClient
from gateway.key_client import KeyClient
from gateway.key_ring import KeyRing
from gateway.outline_routes import outline_routes
from gateway.page import Page
from gateway.request_limit import RequestLimit
from gateway.routes import public_routes
from gateway.security_headers import SecurityHeaders
from gateway.session_routes import session_routes
from gateway.settings import GatewaySettings
from gateway.status import StatusTeller, status_routes
from gateway.upload_admission import UploadAdmission, UploadCounting, UploadRefusals, UploadShedding
from gateway.upload_limits import UploadLimits
from gateway.upload_quota import UploadQuota
from gateway.upload_routes import upload_routes
from gateway.uploads import Uploads
from gateway.work_client import WorkClient
from gateway.work_routes import work_routes
from shared.app import StartupError, create_service
from shared.contracts import Health
from shared.priority import BACKGROUND

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
    registry = CollectorRegistry()
    behind = open_behind(
        settings, registry, {"caption": caption_http, "classify": classify_http, "storage": storage_http}
    )
    to_caption, to_classify, to_storage = (behind.clients[name] for name in ("caption", "classify", "storage"))
    caption, classify, storage = CaptionClient(to_caption), ClassifyClient(to_classify), StorageClient(to_storage)
    work = WorkClient(to_storage)
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
        require_storage=behind.breakers["storage"].require_admitting,
    )
    completion = Completion(
        captions=CaptionClient(to_caption, headers=BACKGROUND),
        labels=ClassifyClient(to_classify, headers=BACKGROUND),
        work=work,
        uploads=uploads,
        is_ready=behind.is_ready,
        limits=CompletionLimits(at_once=settings.completion_at_once, model_timeout_s=settings.model_timeout_s),
        metrics=CompletionMetrics(registry),
    )
    batches = BatchClient(to_storage)
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

    asked = _keys(settings, KeyClient(to_storage)) if settings.asks_for_keys else None

    def readiness() -> Health:
        return behind.upstreams.health(service=NAME, version=__version__)

    teller = StatusTeller(behind.upstreams, readiness, models=[to_caption, to_classify], storage=to_storage)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if settings.unguarded:
            raise StartupError(settings.unguarded)
        if not (settings.web / "index.html").is_file():
            raise StartupError(f"GATEWAY_WEB names {settings.web}, which has no index.html")
        async with AsyncExitStack() as stack:
            for pool in behind.pools.values():
                await stack.enter_async_context(pool)
            stack.push_async_callback(asyncio.to_thread, hygiene.close)
            await hygiene.start()
            watching = asyncio.create_task(behind.upstreams.watch())
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
        doors=doors(asked, settings.allowed_origins),
    )
    # The innermost of all, so that what they refuse has a request id, and is counted.
    app.user_middleware.append(Middleware(RequestLimit, at_once=settings.requests_at_once))
    refusals = UploadRefusals(uploads, longest_deadline_s=settings.upload_deadline_s)
    app.user_middleware.append(Middleware(UploadAdmission, refusals=refusals))
    app.state.shed = UploadShedding(
        refusals,
        metrics=app.state.request_metrics,
        draining=app.state.draining,
        allowed_origins=settings.allowed_origins,
    )
    app.include_router(
        upload_routes(
            uploads,
            Idempotency(RequestKeyClient(to_storage), keep_s=settings.idempotency_keep_s),
            upload_limit_bytes=settings.upload_limit_bytes,
            longest_deadline_s=settings.upload_deadline_s,
        )
    )
    app.include_router(outline_routes(storage, longest_deadline_s=settings.upload_deadline_s))
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
    app.include_router(session_routes(asked.ring if asked else None))
    app.include_router(status_routes(teller))
    describe_access(app)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(UploadCounting, refusals=refusals)
    app.mount("/", Page(settings.web))
    return app


def _keys(settings: GatewaySettings, keys: KeyClient) -> Keys:
    ring = KeyRing(keys, admin_key=settings.admin_key, remembered_s=settings.key_cache_s)
    limits = ClientLimits(
        per_s=settings.key_requests_per_s, burst=settings.key_requests_burst, at_once=settings.key_requests_at_once
    )
    return Keys(ring, limits, UploadQuota(keys, limit_bytes=settings.key_upload_bytes_a_day))
