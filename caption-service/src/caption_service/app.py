"""Build caption-service. Importing this loads no TensorFlow; the lifespan does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from caption_service import __version__
from caption_service.captioning import Captioner, Captioning
from caption_service.open_inference import served_captioner
from caption_service.routes import caption_routes
from caption_service.settings import CaptionSettings
from shared.app import StartupError, create_service
from shared.artifacts import ArtifactError
from shared.batching import Room
from shared.compute_lock import ComputeLock
from shared.contracts import Health
from shared.errors import Overloaded
from shared.inference_routes import inference_routes
from shared.internal_access import token_doors
from shared.passing_thread import in_passing_thread
from shared.run_size import run_sizes

if TYPE_CHECKING:
    from caption_service.model.captioner import Captioner as KerasCaptioner

NAME = "caption"


def create_app(settings: CaptionSettings, load_captioner: Callable[[], Captioner] | None = None) -> FastAPI:
    """Return the service.

    Args:
        settings: Where the model lies, how much work is taken at once.
        load_captioner: Gives the model in place of the one that the settings name; it is called in the lifespan.
    """
    registry = CollectorRegistry()
    room = Room(settings.largest_batch, settings.threads, settings.waiting, settings.batch_wait_ms)
    loaded: list[Captioning] = []

    def captioning() -> Captioning:
        if not loaded:
            raise Overloaded("the model is still being loaded")
        return loaded[0]

    def readiness() -> Health:
        models = [each.model for each in loaded]
        return Health(status="ready" if loaded else "starting", service=NAME, version=__version__, models=models)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            captioner = await in_passing_thread(load_captioner or captioner_loader(settings))
        except ArtifactError as error:
            raise StartupError(str(error)) from error
        loaded.append(Captioning(captioner, registry, room))
        try:
            yield
        finally:
            loaded.pop().close()

    app = create_service(
        NAME,
        version=__version__,
        description="Describes an image in a sentence: VGG16 looks, an LSTM speaks.",
        readiness=readiness,
        lifespan=lifespan,
        registry=registry,
        load=lambda: max((each.load for each in loaded), default=0.0),
        doors=token_doors(settings.shown_token),
    )
    app.include_router(
        caption_routes(
            captioning,
            body_limit_bytes=settings.body_limit_bytes,
            longest_deadline_s=settings.longest_deadline_s,
        )
    )
    app.include_router(
        inference_routes(
            served_captioner(captioning, readiness, images_at_once=settings.largest_batch),
            body_limit_bytes=settings.body_limit_bytes,
            longest_deadline_s=settings.longest_deadline_s,
        )
    )
    return app


def captioner_loader(settings: CaptionSettings) -> Callable[[], KerasCaptioner]:
    """Return what loads the model of the settings; only that brings in what computes."""

    def load() -> KerasCaptioner:
        from caption_service.model import backends, processor  # noqa: PLC0415  # slow
        from caption_service.model.captioner import Captioner  # noqa: PLC0415

        try:
            computing = backends.choose(settings.backend, settings.precision)
        except backends.BackendUnavailable as error:
            raise StartupError(str(error)) from error
        captioner = Captioner.load(
            settings.model,
            encoder_folder=settings.encoder,
            vgg16_weights=settings.vgg16_weights,
            computing=computing,
            compute_lock=ComputeLock(settings.compute_lock),
        )
        # A GPU's library chooses its kernels by size when it first meets one; a processor needs no more than one.
        captioner.warm(run_sizes(settings.largest_batch) if processor.has_gpu() else (1,))
        return captioner

    return load
