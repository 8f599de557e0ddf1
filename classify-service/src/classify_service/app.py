"""Build classify-service from its settings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from classify_service import __version__
from classify_service.classification import Classification, LoadedModel, load_model
from classify_service.open_inference import served_classifier
from classify_service.routes import classification_routes
from classify_service.settings import ClassifySettings
from shared.app import create_service
from shared.batching import Room
from shared.compute_lock import ComputeLock
from shared.contracts import Health
from shared.deadline import Deadline
from shared.inference_routes import inference_routes
from shared.internal_access import token_doors

NAME = "classify"
LOAD_TIMEOUT_S = 120.0


def create_app(settings: ClassifySettings, *, load: Callable[[], LoadedModel] | None = None) -> FastAPI:
    """Return the service; its model is loaded in the lifespan.

    Args:
        settings: See ClassifySettings.
        load: Returns the model; the one in `settings.model` unless given.
    """
    registry = CollectorRegistry()
    room = Room(settings.largest_batch, settings.threads, settings.waiting, settings.batch_wait_ms)
    classification = Classification(registry, room, ComputeLock(settings.compute_lock))

    def readiness() -> Health:
        model = classification.model
        return Health(
            status="ready" if model else "starting",
            service=NAME,
            version=__version__,
            models=[model.name] if model else [],
        )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            await classification.load(
                load or partial(load_model, settings.model, backend=settings.backend, precision=settings.precision),
                deadline=Deadline.after(LOAD_TIMEOUT_S),
            )
            yield
        finally:
            classification.close()

    app = create_service(
        NAME,
        version=__version__,
        description="Labels images with a convolutional network joined with OpenCV features.",
        readiness=readiness,
        lifespan=lifespan,
        registry=registry,
        load=lambda: classification.places_taken,
        doors=token_doors(settings.shown_token),
    )
    app.include_router(
        classification_routes(
            classification,
            longest_deadline_s=settings.longest_deadline_s,
            body_limit_bytes=settings.body_limit_bytes,
        )
    )
    app.include_router(
        inference_routes(
            served_classifier(classification, readiness, images_at_once=settings.largest_batch),
            body_limit_bytes=settings.body_limit_bytes,
            longest_deadline_s=settings.longest_deadline_s,
        )
    )
    return app
