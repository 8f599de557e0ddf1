"""Put storage-service together: nothing is opened before the app starts, all is closed when it stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import version

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from shared.app import create_service
from shared.internal_access import token_doors
from shared.turns import Turns
from shared.worker import BoundedWorker
from storage_service.api_keys import ApiKeys
from storage_service.archive import Archive
from storage_service.batch_routes import router as batch_router
from storage_service.batch_storing import BatchStoring
from storage_service.completion import Completion
from storage_service.database import Database, open_engine
from storage_service.export_routes import router as export_router
from storage_service.exports import Exports
from storage_service.file_routes import router as file_router
from storage_service.gathering import STORED_AT_ONCE, Gathering
from storage_service.idempotency import Idempotency
from storage_service.idempotency_routes import router as idempotency_router
from storage_service.image_store import open_store
from storage_service.index_keeper import IndexKeeper
from storage_service.key_routes import router as key_router
from storage_service.opening import Opening
from storage_service.outline_routes import router as outline_router
from storage_service.readiness import Readiness
from storage_service.reruns import Reruns
from storage_service.routes import Storage, router
from storage_service.settings import StorageSettings
from storage_service.similar import SimilarPictures
from storage_service.similarity import Similarity
from storage_service.status import Status
from storage_service.status_routes import router as status_router
from storage_service.undoing import Undoing
from storage_service.upload_batch_routes import router as upload_batch_router
from storage_service.upload_batches import BatchKeeping
from storage_service.work_routes import router as work_router

SERVICE = "storage"
FRESH_S = 1.0
"""So soon a search sees what another process has written."""


def create_app(settings: StorageSettings) -> FastAPI:
    """Return the service; its database and its folder are opened when it starts."""
    service_version = version("legenda-storage-service")
    readiness = Readiness(SERVICE, service_version)
    opened: list[Storage] = []
    registry = CollectorRegistry()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _storage(settings, readiness, registry) as storage:
            app.state.storage = storage
            opened.append(storage)
            try:
                yield
            finally:
                opened.clear()

    app = create_service(
        SERVICE,
        version=service_version,
        description="Keeps images in a label-sorted folder tree, and all that is known of them.",
        readiness=readiness.health,
        lifespan=lifespan,
        load=lambda: opened[0].storing.load if opened else 0.0,
        registry=registry,
        doors=token_doors(settings.shown_token),
    )
    app.include_router(outline_router)  # before that of one image, whose id could be `outline` else
    app.include_router(router)
    app.include_router(file_router)
    app.include_router(batch_router)
    app.include_router(upload_batch_router)
    app.include_router(work_router)
    app.include_router(export_router)
    app.include_router(idempotency_router)
    app.include_router(key_router)
    app.include_router(status_router)
    return app


@contextlib.asynccontextmanager
async def _storage(
    settings: StorageSettings, readiness: Readiness, registry: CollectorRegistry
) -> AsyncIterator[Storage]:
    store = await asyncio.to_thread(open_store, settings.store_url, access=settings.bucket_access)
    engine = open_engine(settings.database_url, statement_timeout_s=settings.statement_timeout_s)
    database = Database(engine)
    opening = Opening(database, settings.database_url, statement_timeout_s=settings.statement_timeout_s)
    worker = BoundedWorker("storage-files", threads=settings.file_threads, waiting=settings.file_jobs_waiting)
    searcher = BoundedWorker("storage-search", threads=1, waiting=settings.search_jobs_waiting)
    exports = Exports(database, store, at_once=settings.exports_at_once)
    try:
        await opening.start()
        archive = Archive(database, store, worker)
        batches = BatchStoring(database, store, worker, archive)
        keeper = IndexKeeper(
            database_url=settings.database_url, folder=settings.index_dir, at_least_rows=settings.index_after_rows
        )
        similarity = Similarity(
            database,
            searcher,
            folder=settings.index_dir,
            index_after_rows=settings.index_after_rows,
            fresh_s=FRESH_S,
            wish=keeper.wish,
        )
        status = Status(database, registry)
        await readiness.check(database, store)
        watch = asyncio.create_task(readiness.watch(database, store, status))
        try:
            yield Storage(
                archive=archive,
                batches=batches,
                gathering=Gathering(batches),
                upload_batches=BatchKeeping(database),
                database=database,
                completion=Completion(database, archive),
                reruns=Reruns(database),
                undoing=Undoing(database, archive),
                similar=SimilarPictures(database, store, similarity, worker),
                exports=exports,
                idempotency=Idempotency(database),
                storing=Turns("storing", at_once=STORED_AT_ONCE, waiting=settings.file_jobs_waiting),
                keys=ApiKeys(database),
                status=status,
                stall_timeout_s=settings.stall_timeout_s,
                longest_s=settings.request_timeout_s,
                body_limit_bytes=settings.body_limit_bytes,
            )
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            await archive.finish()
            await keeper.close()
    finally:
        await opening.close()
        await asyncio.to_thread(worker.close)
        await asyncio.to_thread(searcher.close)
        await asyncio.to_thread(exports.close)
        await database.finish()
        await engine.dispose()
